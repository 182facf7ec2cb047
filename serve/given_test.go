package serve

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"upnext"
)

// TestRank: a caller's own candidates come in the order of their worth to the
// viewer, all of them and nothing else, whatever order they were given in; what may
// not be shown is named with its cause.
func TestRank(t *testing.T) {
	w := newWorld(t, 12, nil)
	hidden, late := itemOf("space", 90), itemOf("space", 91)
	hidden.Status, late.AvailableUntil = upnext.Hidden, noon.Add(-time.Hour)
	w.put(hidden, late)
	for i := range 3 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", i).ID})
	}
	var given []upnext.ItemID
	for i := 4; i < 10; i++ {
		for _, topic := range topics {
			given = append(given, itemOf(topic, i).ID)
		}
	}
	given = append(given, hidden.ID, "nobody's", late.ID)
	req := upnext.Request{Viewer: user("ann"), Candidates: given}
	s := w.asks(req)
	if got := ids(s); len(got) != len(given)-3 || about(upnext.Slate{Items: s.Items[:6]}, "space") != 6 {
		t.Errorf("%d items of %d given, first %v; want all but three, the six of space first", len(got), len(given), got[:6])
	}
	for _, p := range s.Items {
		if !slices.Contains(given, p.Item) || p.Token == "" {
			t.Errorf("%+v was not given, or has no token", p)
		}
	}
	want := []upnext.Refusal{{Item: hidden.ID, Cause: "inactive"}, {Item: "nobody's", Cause: "gone"}, {Item: late.ID, Cause: "expired"}}
	if !slices.Equal(s.Refused, want) {
		t.Errorf("refused %v, want %v", s.Refused, want)
	}
	if s.Scenario != "rank" || s.Shortfall != 3 {
		t.Errorf("scenario %s, %d short", s.Scenario, s.Shortfall)
	}
	if p := s.Items[0]; len(p.Reasons) == 0 || p.Reasons[0].Code != "because_liked" {
		t.Errorf("the first has the reasons %+v", p.Reasons)
	}

	turned := req
	turned.Candidates = slices.Clone(given)
	slices.Reverse(turned.Candidates)
	if again := w.asks(turned); !slices.Equal(ids(again), ids(s)) {
		t.Errorf("in another order %v, want %v", ids(again), ids(s))
	}

	// Fewer, then the rest of them, and none twice.
	few := req
	few.Count = 10
	first := w.asks(few)
	if !slices.Equal(ids(first), ids(s)[:10]) || first.Next == "" {
		t.Fatalf("the best ten %v, want %v and a cursor", ids(first), ids(s)[:10])
	}

	if s.Next != "" {
		t.Error("all were ranked, and there is more to come")
	}
	all, cursor := ids(first), first.Next
	for cursor != "" {
		next, _, err := w.rec.Next(t.Context(), tenantT, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		all, cursor = append(all, ids(next)...), next.Next
	}
	if want := slices.Sorted(slices.Values(ids(s))); !slices.Equal(slices.Sorted(slices.Values(all)), want) {
		t.Errorf("page by page %v, want each of %v once", all, want)
	}

	for _, c := range []struct {
		name string
		req  upnext.Request
		want int
	}{
		{"who is not known", upnext.Request{Candidates: given}, len(given) - 3},
		{"filtered", upnext.Request{Viewer: user("ann"), Candidates: given, Filter: "'chess' in tags"}, 6},
		{"excluded", upnext.Request{Viewer: user("ann"), Candidates: given, Exclude: upnext.Exclude{Items: given[:5]}}, len(given) - 8},
		{"seen", upnext.Request{Viewer: user("ann"), Candidates: []upnext.ItemID{"space-000", "space-005"}, Exclude: upnext.Exclude{Seen: upnext.SeenAll}}, 1},
		{"seen, and wanted", upnext.Request{Viewer: user("ann"), Candidates: []upnext.ItemID{"space-000", "space-005"}}, 2},
	} {
		s := w.asks(c.req)
		if len(s.Items) != c.want || len(s.Items)+len(s.Refused) != len(c.req.Candidates) {
			t.Errorf("%s: %d items and %d refused of %d, want %d items", c.name, len(s.Items), len(s.Refused), len(c.req.Candidates), c.want)
		}
	}
}

// TestRankRefuses names what is wrong with a list of candidates.
func TestRankRefuses(t *testing.T) {
	many := make([]upnext.ItemID, upnext.MaxCandidates+1)
	for i := range many {
		many[i] = upnext.ItemID(fmt.Sprint(i))
	}
	for want, given := range map[string][]upnext.ItemID{
		"item_ids: 1001, 1000 allowed":          many,
		"item_ids/2: a is item_ids/0 already":   {"a", "b", "a"},
		"item_ids/1: 0 bytes, 1 to 256 allowed": {"a", ""},
	} {
		err := upnext.Request{Candidates: given}.Validate()
		if err == nil || !slices.Contains([]string{want, want + ": invalid"}, err.Error()) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
