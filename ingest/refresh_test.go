package ingest_test

import (
	"slices"
	"testing"

	"upnext"
)

// TestRefreshShowsFiltersACorrection: a person's word reaches the columns that
// the index filters by, and calls no encoder.
func TestRefreshShowsFiltersACorrection(t *testing.T) {
	w := newWorld(t)
	put(t, w, item("a", "bread", "cooking"), item("b", "butter", "cooking"))
	calls := w.text.calls()
	said := upnext.Understanding{Topics: []upnext.Label{{Value: "baking", Confidence: 1, Model: upnext.ByPerson}}}
	if _, err := w.Understandings.Correct(t.Context(), tenant, "a", said); err != nil {
		t.Fatal(err)
	}
	if err := w.Refresh(t.Context(), tenant, "a"); err != nil {
		t.Fatal(err)
	}
	if got := search(t, w, "'baking' in topics"); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("items of the corrected topic: %v, want a", got)
	}
	if got := search(t, w, "'cooking' in topics"); !slices.Equal(got, []upnext.ItemID{"b"}) {
		t.Errorf("items of the former topic: %v, want b", got)
	}
	if w.text.calls() != calls {
		t.Error("a correction called an encoder")
	}
}
