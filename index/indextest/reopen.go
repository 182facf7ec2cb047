package indextest

import (
	"fmt"
	"testing"

	"upnext"
	"upnext/index"
)

// TestReopen checks that collections outlive the process that made them. open
// opens what lies in a folder and says how to close it.
func TestReopen(t *testing.T, open func(t *testing.T, dir string) (index.Collections, func() error)) {
	const dim = 30
	dir := t.TempDir()
	vectors := Vectors(51, 60, dim)
	list := entries(vectors)
	for i := range list {
		list[i].Fields = upnext.Fields{"kind": []string{"video", "live"}[i%2]}
	}
	spec := index.Spec{Dim: dim, Fields: map[string]upnext.AttributeType{"kind": upnext.String}}
	c, closed := open(t, dir)
	put(t, made(t, c, "old", spec), list[:10]...)
	x := made(t, c, "new", spec)
	put(t, x, list...)
	if err := x.Delete(t.Context(), list[3].ID); err != nil {
		t.Fatalf("delete: %v", err)
	}
	put(t, made(t, c, "gone", spec), list...)
	if err := c.Drop(t.Context(), tenant, "gone"); err != nil {
		t.Fatalf("drop: %v", err)
	}
	promote(t, c, "old")
	promote(t, c, "new")
	f := parsed(t, "kind == 'live'")
	want := fmt.Sprint(search(t, x, vectors[0], 60, nil), search(t, x, vectors[0], 60, f), vectorsOf(t, x, list[5].ID))

	for round := range 3 {
		if err := closed(); err != nil {
			t.Fatalf("close: %v", err)
		}
		c, closed = open(t, dir)
		active(t, c, "new", 59)
		_, x, err := c.Active(t.Context(), tenant)
		if err != nil {
			t.Fatalf("active: %v", err)
		}
		if got := fmt.Sprint(search(t, x, vectors[0], 60, nil), search(t, x, vectors[0], 60, f), vectorsOf(t, x, list[5].ID)); got != want {
			t.Errorf("opened again %d: got %s, want %s", round, got, want)
		}
		infos, err := c.List(t.Context(), tenant)
		if err != nil || len(infos) != 2 || infos[0].Name != "new" || infos[0].Len != 59 || !infos[0].Promoted || infos[1].Len != 10 {
			t.Errorf("opened again %d: list is %+v, %v", round, infos, err)
		}
		if infos[0].Spec.Dim != dim || infos[0].Spec.Fields["kind"] != upnext.String {
			t.Errorf("opened again %d: spec is %+v, want %+v", round, infos[0].Spec, spec)
		}
		_, err = c.Create(t.Context(), tenant, "new", index.Spec{Dim: dim + 1})
		is(t, "another dim after reopening", err, upnext.ErrConflict)
	}
	if err := closed(); err != nil {
		t.Fatalf("close: %v", err)
	}
}
