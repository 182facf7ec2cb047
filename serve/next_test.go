package serve

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext"
)

// replica is another process over the same stores.
func (w *world) replica() *Recommender {
	w.t.Helper()
	r := New(w.cfg)
	if err := r.Refresh(w.t.Context(), tenantT); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) next(r *Recommender, cursor string) upnext.Slate {
	w.t.Helper()
	s, _, err := r.Next(w.t.Context(), tenantT, cursor, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestNext reads 50 pages, by turns at two replicas of which one is restarted,
// while events arrive. No slate is ever written: cursors do not need them.
func TestNext(t *testing.T) {
	w := newWorld(t, 140, func(c *Config) { c.Settings.SlateQueue = 0 })
	w.history("ann")
	met := map[upnext.ItemID]int{}
	other := w.replica()
	s := w.page("ann")
	for page := 1; ; page++ {
		if len(s.Items) != 20 || s.Shortfall != 0 {
			t.Fatalf("page %d: %d items, want 20", page, len(s.Items))
		}
		for _, p := range s.Items {
			if before := met[p.Item]; before > 0 {
				t.Fatalf("page %d: %s again, after page %d", page, p.Item, before)
			}
			met[p.Item] = page
		}
		if page == 50 {
			break
		}
		if s.Next == "" || !s.Until.Equal(w.now.Add(30*time.Minute)) {
			t.Fatalf("page %d: cursor %q until %s, want one for half an hour", page, s.Next, s.Until)
		}
		kind := []upnext.EventKind{upnext.Impression, upnext.Like, upnext.Skip, upnext.Play}[page%4]
		w.does("ann", upnext.Event{Kind: kind, Item: s.Items[page%20].Item})
		w.does("bob", upnext.Event{Kind: upnext.Like, Item: itemOf(topics[page%8], page).ID})
		if page%10 == 5 {
			other = w.replica()
		}
		s = w.next([]*Recommender{w.rec, other}[page%2], s.Next)
	}
	// To the end of what there is: less what ann has seen, nothing is missing.
	for s.Next != "" {
		s = w.next(w.rec, s.Next)
		for _, p := range s.Items {
			if met[p.Item] > 0 {
				t.Fatalf("%s again near the end", p.Item)
			}
			met[p.Item] = 51
		}
	}
	p, err := w.rec.Profile(t.Context(), tenantT, user("ann"))
	if err != nil {
		t.Fatal(err)
	}
	if most := 140 * len(topics); len(met) > most || len(met) < most-p.Seen {
		t.Errorf("%d items in all, want at least the %d that are not seen", len(met), most-p.Seen)
	}
}

// TestNextKnows: what happened since the first page is felt on the second.
func TestNextKnows(t *testing.T) {
	w := newWorld(t, 60, nil)
	for i := range 3 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("chess", i).ID})
	}
	first := w.page("ann")
	before := about(w.next(w.rec, first.Next), "space")
	for i := range 6 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", i).ID})
	}
	w.does("ann", upnext.Event{Kind: upnext.Mute, Scope: upnext.ScopeTopic, Topic: "chess"})
	after := w.next(w.rec, first.Next)
	if got := about(after, "space"); got <= before {
		t.Errorf("%d of space after six likes, %d before: want more", got, before)
	}
	if n := about(after, "chess"); n != 0 {
		t.Errorf("%d of chess, which was muted after the first page", n)
	}
}

// TestCursorLife: half an hour from the last page, whenever the first was.
func TestCursorLife(t *testing.T) {
	w := newWorld(t, 60, nil)
	first := w.page("ann")
	late := w.page("bob")
	for range 3 {
		w.now = w.now.Add(29 * time.Minute)
		w.next(w.rec, first.Next) // the first cursor lives on with the last
	}
	w.now = w.now.Add(30*time.Minute + time.Microsecond)
	for _, cursor := range []string{first.Next, late.Next} {
		if _, _, err := w.rec.Next(t.Context(), tenantT, cursor, 0); !errors.Is(err, ErrExpired) {
			t.Errorf("%v, want ErrExpired", err)
		}
	}
	if _, err := w.store.Cursors.PruneCursors(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.rec.Next(t.Context(), tenantT, first.Next, 0); !errors.Is(err, ErrExpired) {
		t.Errorf("pruned: %v, want ErrExpired", err)
	}
}

// TestCursorsOfOthers: what we did not sign for this tenant is no cursor.
func TestCursorsOfOthers(t *testing.T) {
	w := newWorld(t, 20, nil)
	s := w.page("ann")
	changed := []byte(s.Next)
	changed[10]++
	for _, bad := range []string{"", "x", s.Items[0].Token, s.Next[:40], s.Next + "AAAA", string(changed), strings.Repeat("A", 9000)} {
		if _, _, err := w.rec.Next(t.Context(), tenantT, bad, 0); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%.20q: %v, want ErrInvalid", bad, err)
		}
	}
	if _, _, err := w.rec.Next(t.Context(), "other", s.Next, 0); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("another tenant: %v, want ErrInvalid", err)
	}
	if _, err := w.rec.Verify(tenantT, s.Next); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("as a token: %v, want ErrInvalid", err)
	}
	if _, _, err := w.rec.Next(t.Context(), tenantT, s.Next, 201); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a count of 201: %v, want ErrInvalid", err)
	}
}

// TestNextAtOnce: one cursor used by many at once, at two replicas, gives each
// something else.
func TestNextAtOnce(t *testing.T) {
	w := newWorld(t, 60, nil)
	first, other := w.page("ann"), w.replica()
	var wg sync.WaitGroup
	var mu sync.Mutex
	all := ids(first)
	for i := range 4 {
		wg.Go(func() {
			for range 3 {
				s, _, err := []*Recommender{w.rec, other}[i%2].Next(t.Context(), tenantT, first.Next, 5)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				all = append(all, ids(s)...)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 20+4*3*5 {
		t.Errorf("%d different items, want %d", n, 20+4*3*5)
	}
}

// TestLongCursor: a request that is too long to be carried is kept, and what it
// asked for holds; one beyond the bound is answered without a cursor.
func TestLongCursor(t *testing.T) {
	w := newWorld(t, 40, nil)
	req := upnext.Request{Viewer: user("ann"), Filter: "not ('chess' in tags)", Count: 7, Include: []string{"title"}}
	for i := range 2_000 {
		req.Exclude.Items = append(req.Exclude.Items, upnext.ItemID(fmt.Sprintf("nothing-%d", i)))
	}
	for i := range 40 {
		req.Exclude.Items = append(req.Exclude.Items, itemOf("music", i).ID)
	}
	s := w.asks(req)
	if len(s.Next) > 200 {
		t.Errorf("a cursor of %d characters, want a short one", len(s.Next))
	}
	met := ids(s)
	for range 5 {
		page, again, err := w.replica().Next(t.Context(), tenantT, s.Next, 0)
		if err != nil || len(page.Items) != 7 || about(page, "chess")+about(page, "music") > 0 {
			t.Fatalf("%v, %v; want 7, none of chess or music", ids(page), err)
		}
		if !slices.Equal(again.Include, req.Include) {
			t.Errorf("include %v, want %v", again.Include, req.Include)
		}
		met, s = append(met, ids(page)...), page
	}
	slices.Sort(met)
	if n := len(slices.Compact(met)); n != 42 {
		t.Errorf("%d different items, want 42", n)
	}
	w.cfg.Settings.CursorBytes = 1000
	s, err := w.replica().Recommend(t.Context(), tenantT, req)
	if err != nil || len(s.Items) != 7 || s.Next != "" || len(s.Degraded) != 1 || s.Degraded[0].Stage != "cursor" {
		t.Errorf("%d items, cursor %q, degraded %v, %v; want a page that says it has none", len(s.Items), s.Next, s.Degraded, err)
	}
	n, err := w.rec.Erase(t.Context(), tenantT, user("ann"))
	if err != nil {
		t.Fatal(n, err)
	}
	if n, err := w.store.Cursors.EraseCursors(t.Context(), tenantT, user("ann")); n != 0 || err != nil {
		t.Errorf("%d cursors left after the erasure, %v", n, err)
	}
}

// TestServedIsNotSeen: what was returned comes again until it was impressed.
func TestServedIsNotSeen(t *testing.T) {
	w := newWorld(t, 20, nil)
	w.history("ann")
	first := w.page("ann")
	if again := w.page("ann"); !slices.Equal(ids(again), ids(first)) {
		t.Errorf("asked again %v, want %v", ids(again), ids(first))
	}
	w.does("ann", upnext.Event{Kind: upnext.Impression, Item: first.Items[0].Item})
	if _, there := find(w.page("ann"), first.Items[0].Item); there {
		t.Errorf("%s is there though it was impressed", first.Items[0].Item)
	}
}
