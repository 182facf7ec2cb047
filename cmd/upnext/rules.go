package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"gopkg.in/yaml.v3"

	"upnext"
	"upnext/serve/rule"
)

// rulesOf reads the rules of pages from a YAML or JSON file, as rule.Rules names
// them. What the file does not name stays as rule.DefaultRules has it; a list
// that it names replaces the default one. An empty path is the defaults. A name
// that no rule has, or a value out of its bounds, is an ErrInvalid.
func rulesOf(path string) (rule.Rules, error) {
	rules := rule.DefaultRules()
	if path == "" {
		return rules, nil
	}
	fail := func(err error) (rule.Rules, error) {
		return rule.Rules{}, fmt.Errorf("--rules %s: %w", path, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	var said any
	if err := yaml.Unmarshal(text, &said); err != nil {
		return fail(fmt.Errorf("%w: %w", err, upnext.ErrInvalid))
	}
	if said == nil { // nothing but comments
		return rules, nil
	}
	plain, err := json.Marshal(said)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", err, upnext.ErrInvalid))
	}
	rows := rules.Safety.Rows
	rules.Safety.Rows = nil // or the file's rows would be read over these
	strict := json.NewDecoder(bytes.NewReader(plain))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&rules); err != nil && !errors.Is(err, io.EOF) {
		return fail(fmt.Errorf("%w: %w", err, upnext.ErrInvalid))
	}
	if rules.Safety.Rows == nil {
		rules.Safety.Rows = rows
	}
	if err := rules.Validate(); err != nil {
		return fail(err)
	}
	return rules, nil
}
