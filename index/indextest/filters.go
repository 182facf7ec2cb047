package indextest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/index/flat"
)

// fieldsSpec is the columns that the suite's entries have.
var fieldsSpec = map[string]upnext.AttributeType{
	"kind": upnext.String, "tags": upnext.Strings, "min_age": upnext.Number, "published_at": upnext.Time,
	"attributes.free": upnext.Bool, "attributes.price": upnext.Number,
}

var attributes = upnext.Schema{
	{Name: "free", Type: upnext.Bool, Filterable: true},
	{Name: "price", Type: upnext.Number, Filterable: true},
	{Name: "secret", Type: upnext.String, Filterable: true}, // not a column
}

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// expressions are filters; exact says that the columns can answer all of it.
var expressions = []struct {
	src   string
	exact bool
}{
	{"kind == 'video'", true},
	{"kind != 'video'", true},
	{"kind in ['live', 'ad', 'none']", true},
	{"kind not in ['live']", true},
	{"kind == 'nowhere'", true},
	{"'t3' in tags", true},
	{"not ('t3' in tags) and not ('t4' in tags)", true},
	{"tags == nil", true},
	{"kind == nil or tags != nil", true},
	{"min_age >= 12", true},
	{"min_age < 12 and min_age > 3", true},
	{"min_age <= 7 or min_age == 16", true},
	{"min_age == nil", true},
	{"attributes.price > 0 and attributes.price <= 2.5", true},
	{"attributes.price < -1.5", true},
	{"attributes.free", true},
	{"not attributes.free", true},
	{"age_hours < 48", true},
	{"published_at > now()", true},
	{"kind == user.kind", true},
	{"kind in ['video', 'live'] and min_age < 18 and not ('t1' in tags)", true},
	{"true", true},
	{"false", true},
	{"len(tags) > 1", false},
	{"not (len(tags) > 1)", false},
	{"attributes.secret == 's1'", false},
	{"not (attributes.secret == 's1') and kind == 'video'", false},
}

var vars = filter.Vars{Now: now, User: map[string]any{"kind": "music"}, Context: map[string]any{}}

// fields gives entry i something of everything, and of everything nothing too.
func fields(rng *rand.Rand) upnext.Fields {
	f := upnext.Fields{}
	some := func() bool { return rng.IntN(5) > 0 }
	if some() {
		f["kind"] = []string{"video", "live", "music", "ad"}[rng.IntN(4)]
	}
	if some() {
		tags := []string{}
		for range rng.IntN(4) {
			tags = append(tags, fmt.Sprintf("t%d", rng.IntN(6)))
		}
		f["tags"] = tags
	}
	if some() {
		f["min_age"] = float64(rng.IntN(20))
	}
	if some() {
		f["published_at"] = now.Add(time.Duration(rng.IntN(200)-150) * time.Hour)
	}
	if some() {
		f["attributes.free"] = rng.IntN(2) == 0
	}
	if some() {
		f["attributes.price"] = float64(rng.IntN(13)-6) / 2
	}
	if some() {
		f["attributes.secret"] = fmt.Sprintf("s%d", rng.IntN(2))
	}
	return f
}

// parsed parses an expression of the suite.
func parsed(t testing.TB, src string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(src, attributes)
	if err != nil {
		t.Fatalf("parse %q: %v", src, err)
	}
	return f
}

func testFilters(t *testing.T, open func(t *testing.T) index.Collections) {
	const dim, n = 24, 700
	rng := rand.New(rand.NewPCG(3, 3))
	list := entries(Vectors(3, n, dim))
	for i := range list {
		list[i].Fields = fields(rng)
	}
	c := open(t)
	x := made(t, c, "main", index.Spec{Dim: dim, Fields: fieldsSpec})
	exact := made(t, flat.New(), "main", index.Spec{Dim: dim})
	for _, to := range []index.Index{x, exact} {
		put(t, to, list...)
	}
	check := func(t *testing.T) { checkFilters(t, x, exact, list, dim) }
	t.Run("put", check)

	// Every field changes, some entries go, others come.
	for i := range list {
		list[i].Fields = fields(rng)
	}
	for _, to := range []index.Index{x, exact} {
		put(t, to, list...)
		for i := 0; i < n; i += 3 {
			if err := to.Delete(t.Context(), list[i].ID); err != nil {
				t.Fatalf("delete: %v", err)
			}
		}
		put(t, to, list[:n/2]...)
	}
	t.Run("changed", check)
	t.Run("widened", func(t *testing.T) {
		// The new column knows nothing of what was there: it may let it through,
		// and must not lose it.
		wide := map[string]upnext.AttributeType{"attributes.secret": upnext.String}
		checkFilters(t, made(t, c, "main", index.Spec{Dim: dim, Fields: wide}), exact, list, dim)
		put(t, x, list[:n/2]...)
		checkFilters(t, x, exact, list, dim)
	})
}

func checkFilters(t *testing.T, x, exact index.Index, list []index.Entry, dim int) {
	t.Helper()
	byID := map[upnext.ItemID]upnext.Fields{}
	for _, e := range list {
		byID[e.ID] = e.Fields
	}
	for _, e := range expressions {
		f := parsed(t, e.src)
		for _, k := range []int{10, len(list)} {
			q := index.Query{Vectors: VectorsOf(3, 4, 2, dim), K: k, Filter: f, Vars: vars}
			if !e.exact {
				q.K = len(list) // what is let through must not push out what passes
			}
			got, err := x.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: %v", e.src, err)
			}
			want, err := exact.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: exact: %v", e.src, err)
			}
			for i := range want {
				passing := got[i]
				if !e.exact {
					passing = nil
					for _, h := range got[i] {
						if f.Match(byID[h.ID], vars) {
							passing = append(passing, h)
						}
					}
				}
				if err := sameHits(passing, want[i]); err != nil {
					t.Errorf("%s, k %d, vector %d: %v", e.src, k, i, err)
				}
			}
		}
	}
}
