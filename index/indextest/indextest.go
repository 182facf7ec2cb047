// Package indextest says what every engine of the index port promises, as
// tests that an engine's own tests call.
package indextest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"upnext"
	"upnext/filter"
	"upnext/index"
)

const tenant upnext.Tenant = "tests"

// pace is how often the suite does what it does many times.
type pace struct {
	runs       int // random sequences that are compared with exact search
	rounds     int // of each writer at once
	promotions int // to and fro
	queries    int // of which recall is the mean
}

// Test runs the whole suite. open gives collections that are empty and not
// shared; it closes them by t.Cleanup.
func Test(t *testing.T, open func(t *testing.T) index.Collections) {
	test(t, open, pace{runs: 100, rounds: 30, promotions: 20, queries: 60})
}

// remote is the pace of TestRemote.
var remote = pace{runs: 5, rounds: 6, promotions: 5, queries: 20}

// TestRemote is Test for engines behind a network, where a write takes a
// tenth of a second: the same checks, the random ones fewer times.
func TestRemote(t *testing.T, open func(t *testing.T) index.Collections) {
	test(t, open, remote)
}

func test(t *testing.T, open func(t *testing.T) index.Collections, p pace) {
	t.Run("Entries", func(t *testing.T) { testEntries(t, open) })
	t.Run("Filters", func(t *testing.T) { testFilters(t, open) })
	t.Run("Collections", func(t *testing.T) { testCollections(t, open, p) })
	t.Run("Concurrent", func(t *testing.T) { testConcurrent(t, open, p.rounds) })
	t.Run("SameAsExact", func(t *testing.T) { testSameAsExact(t, open, p.runs) })
	t.Run("Recall", func(t *testing.T) { testRecall(t, open, p.queries) })
}

// made creates a collection for a test.
func made(t *testing.T, c index.Collections, name string, spec index.Spec) index.Index {
	t.Helper()
	x, err := c.Create(t.Context(), tenant, name, spec)
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return x
}

// put upserts entries that must be taken.
func put(t *testing.T, x index.Index, entries ...index.Entry) {
	t.Helper()
	if err := x.Upsert(t.Context(), entries...); err != nil {
		t.Fatalf("upsert of %d entries: %v", len(entries), err)
	}
}

// search asks for one vector's neighbours.
func search(t *testing.T, x index.Index, v []float32, k int, f *filter.Filter) []index.Hit {
	t.Helper()
	hits, err := x.Search(t.Context(), index.Query{Vectors: [][]float32{v}, K: k, Filter: f})
	if err != nil {
		t.Fatalf("search: %v", err)
	}
	if len(hits) != 1 {
		t.Fatalf("search of 1 vector gave %d answers", len(hits))
	}
	return hits[0]
}

// ids are the hits' ids.
func ids(hits []index.Hit) []upnext.ItemID {
	list := make([]upnext.ItemID, len(hits))
	for i, h := range hits {
		list[i] = h.ID
	}
	return list
}

// all collects every id.
func all(t *testing.T, x index.Index) map[upnext.ItemID]int {
	t.Helper()
	seen := map[upnext.ItemID]int{}
	for id, err := range x.All(t.Context()) {
		if err != nil {
			t.Fatalf("all: %v", err)
		}
		seen[id]++
	}
	return seen
}

// is fails where err is not of the kind.
func is(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got error %v, want %v", what, err, kind)
	}
}

// entries names vectors e000000, e000001, and so on.
func entries(vectors [][]float32) []index.Entry {
	list := make([]index.Entry, len(vectors))
	for i, v := range vectors {
		list[i] = index.Entry{ID: entryID(i), Vector: v}
	}
	return list
}

func entryID(i int) upnext.ItemID { return upnext.ItemID(fmt.Sprintf("e%06d", i)) }

// sameHits reports where got differs from want beyond the rounding of scores:
// neighbours whose scores are that near may change places.
func sameHits(got, want []index.Hit) error {
	const rounding = 2e-6
	if len(got) != len(want) {
		return fmt.Errorf("got %d hits, want %d", len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i].Score-want[i].Score)) > rounding {
			return fmt.Errorf("hit %d: got %v, want %v", i, got[i], want[i])
		}
		if got[i].ID == want[i].ID {
			continue
		}
		tied := i > 0 && want[i-1].Score-want[i].Score <= rounding ||
			i+1 < len(want) && want[i].Score-want[i+1].Score <= rounding ||
			i+1 == len(want) // the one behind it is not known
		if !tied || want[i].Score == got[i].Score && got[i].ID > want[i].ID && i+1 == len(want) {
			return fmt.Errorf("hit %d: got %v, want %v", i, got[i], want[i])
		}
	}
	return nil
}

// recall is the share of want's ids that got has.
func recall(got, want []index.Hit) float64 {
	if len(want) == 0 {
		return 1
	}
	has := map[upnext.ItemID]bool{}
	for _, h := range got {
		has[h.ID] = true
	}
	found := 0
	for _, h := range want {
		if has[h.ID] {
			found++
		}
	}
	return float64(found) / float64(len(want))
}
