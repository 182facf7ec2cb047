package upnext_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"upnext"
)

// TestNUL puts a NUL character into texts: Validate refuses it and names the field.
func TestNUL(t *testing.T) {
	now := time.Now()
	item := upnext.Item{ID: "x", Kind: "video", Title: "x"}
	event := upnext.Event{ID: "x", Kind: upnext.View, At: now, Viewer: upnext.ViewerID{ID: "v"}, Item: "x"}
	viewer := upnext.Viewer{ID: upnext.ViewerID{ID: "v"}}
	if err := errors.Join(item.Validate(), event.Validate(now), viewer.Validate()); err != nil {
		t.Fatal(err)
	}
	const nul = "a\x00b"
	cases := map[string]error{}
	with := func(field string, err error) { cases[field] = err }
	tagged, told := item, item
	tagged.Tags, told.Attributes = []string{"ok", nul}, map[string]any{"depth": []string{nul}}
	with("tags", tagged.Validate())
	with("item x: attributes", told.Validate())
	commented, deep := event, event
	commented.Text, deep.Context = nul, map[string]any{"a": []any{map[string]any{nul: 1}}}
	with("text", commented.Validate(now))
	with("context", deep.Validate(now))
	viewer.Locale = nul
	with("locale", viewer.Validate())
	for field, err := range cases {
		if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "NUL") {
			t.Errorf("%s: %v, want invalid, the field and why", field, err)
		}
	}
}
