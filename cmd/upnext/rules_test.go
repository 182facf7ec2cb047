package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
	"upnext/serve/rule"
)

func rulesFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRulesFile: what is named replaces the default, what is not stays.
func TestRulesFile(t *testing.T) {
	defaults := rule.DefaultRules()
	if err := defaults.Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	got, err := rulesOf(rulesFile(t, `
diversity: {method: dpp}
creators: {places: 1, within: 3}
slots:
  - {name: spring, place: 2, if: "'spring' in tags", from: 2026-03-01T00:00:00Z}
guarantees:
  - {name: newcomers, tag: debut, share: 0.05}
rotation_ms: {feed: 600000}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Diversity.Method != rule.DPP || got.Diversity.Dial != defaults.Diversity.Dial {
		t.Errorf("diversity %+v, want dpp and the dial of the defaults", got.Diversity)
	}
	if len(got.Slots) != 1 || got.Slots[0].Place != 2 || got.Slots[0].From.IsZero() || len(got.Guarantees) != 1 || got.RotationMS["feed"] != 600_000 {
		t.Errorf("slots %+v, guarantees %+v", got.Slots, got.Guarantees)
	}
	if len(got.Safety.Rows) != len(defaults.Safety.Rows) {
		t.Errorf("%d safety rows, want the %d of the defaults", len(got.Safety.Rows), len(defaults.Safety.Rows))
	}
	one, err := rulesOf(rulesFile(t, `{"safety": {"rows": [{"label": "gore", "treatment": "drop"}]}}`))
	if err != nil || len(one.Safety.Rows) != 1 || one.Safety.Rows[0].BelowAge != 0 || one.Safety.Confidence != defaults.Safety.Confidence {
		t.Errorf("safety %+v, %v: want one row for every age", one.Safety, err)
	}
	for _, empty := range []string{"", "# nothing yet\n"} {
		if got, err := rulesOf(rulesFile(t, empty)); err != nil || got.Diversity != defaults.Diversity {
			t.Errorf("%q: %+v, %v, want the defaults", empty, got, err)
		}
	}
}

// TestRulesFileMistakes: each is refused with the file and the field.
func TestRulesFileMistakes(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{"diversty: {dial: 0.5}", "diversty"},
		{"diversity: {dial: 2}", "diversity.dial"},
		{"diversity: {dial: often}", "dial"},
		{"creators: {places: 2}", "creators.within"},
		{"slots: [{place: 0, item: x}]", "slots[0].place"},
		{"slots: [{place: 1}]", "slots[0]: item or if"},
		{"guarantees: [{name: a, tag: b, share: 0.1}, {name: c, share: 0.1}]", "guarantees[1]: item, creator or tag"},
		{"safety: {rows: [{label: gore, treatment: hide}]}", "treatment"},
		{"a: [", "yaml"},
		{"- 1", "array"},
	} {
		path := rulesFile(t, tt.text)
		if _, err := rulesOf(path); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an ErrInvalid that names the file and %q", tt.text, err, tt.says)
		}
	}
	if _, err := rulesOf(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
