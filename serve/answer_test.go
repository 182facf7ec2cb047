package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/source"
)

// TestNoEvents: nobody is told that there is nothing for them.
func TestNoEvents(t *testing.T) {
	w := newWorld(t, 30, nil)
	for i := range 5 {
		for v := range 3 + i {
			w.does(fmt.Sprintf("v%d", v), upnext.Event{Kind: upnext.Like, Item: itemOf(topics[i], i).ID})
		}
	}
	w.refresh()
	tests := []struct {
		name string
		req  upnext.Request
	}{
		{"nobody", upnext.Request{}},
		{"an unknown user", upnext.Request{Viewer: user("never met")}},
		{"an anonymous viewer", upnext.Request{Viewer: upnext.ViewerID{ID: "x", Anonymous: true}, Locale: "zh-CN"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := w.asks(tt.req)
			if len(s.Items) != 20 || s.Shortfall != 0 || len(s.Degraded) > 0 {
				t.Fatalf("%d items, shortfall %d, degraded %v; want a full page", len(s.Items), s.Shortfall, s.Degraded)
			}
			for _, topic := range topics {
				if n := about(s, topic); n == 0 || n > 6 {
					t.Errorf("%d of 20 about %s, want some of each topic", n, topic)
				}
			}
			found := map[string]bool{}
			for _, p := range s.Items {
				if len(p.Reasons) == 0 {
					t.Errorf("%s has no reason", p.Item)
				}
				for _, src := range p.Sources {
					found[src] = true
				}
			}
			if !found["popular"] || !found["trending"] || !found["fresh"] {
				t.Errorf("the page is from %v, want popular, trending and fresh", found)
			}
			if tt.req.Locale != "" {
				zh := 0
				for _, p := range s.Items {
					if rec, _ := w.rec.Record(tenantT, p.Item); rec.Item.Language == "zh" {
						zh++
					}
				}
				if zh < 12 {
					t.Errorf("%d of 20 in the language of the request, want most", zh)
				}
			}
		})
	}
}

// TestEmptyCatalogue: an empty page, not an error.
func TestEmptyCatalogue(t *testing.T) {
	w := newWorld(t, 0, nil)
	if s := w.page("ann"); len(s.Items) != 0 || s.Shortfall != 20 || len(s.Degraded) > 0 {
		t.Errorf("%d items, shortfall %d, degraded %v; want 0, 20, none", len(s.Items), s.Shortfall, s.Degraded)
	}
}

// bare is what must repeat of an answer: its id and timings may not.
func bare(s upnext.Slate) upnext.Slate {
	s.ID, s.Timings, s.Next = "", nil, "" // the cursor names the slate
	s.Items = slices.Clone(s.Items)
	for i := range s.Items {
		s.Items[i].Token = ""
	}
	return s
}

// TestEqual: the same snapshot, seed and clock give the same answer, in the
// same process and in another one that has just started.
func TestEqual(t *testing.T) {
	w := newWorld(t, 40, nil)
	for v := range 20 {
		for i := range 12 {
			w.does(fmt.Sprintf("v%d", v), upnext.Event{Kind: upnext.Like, Item: itemOf(topics[(v+i)%4], (v*i)%40).ID})
		}
	}
	w.refresh()
	other := New(w.cfg)
	for v := range 20 {
		for _, req := range []upnext.Request{
			{Viewer: user(fmt.Sprintf("v%d", v))},
			{Viewer: user(fmt.Sprintf("v%d", v)), Like: []upnext.ItemID{"space-001"}},
			{Viewer: user(fmt.Sprintf("v%d", v)), Query: "space maker"},
		} {
			want := bare(w.asks(req))
			if got := bare(w.asks(req)); !reflect.DeepEqual(got, want) {
				t.Fatalf("a repeated call differs:\n%+v\n%+v", got, want)
			}
			s, err := other.Recommend(t.Context(), tenantT, req)
			if err != nil {
				t.Fatal(err)
			}
			if got := bare(s); !reflect.DeepEqual(got, want) {
				t.Fatalf("another process answers otherwise:\n%+v\n%+v", got, want)
			}
		}
	}
}

// faulty is a source that fails, stays away or panics.
type faulty struct{ how string }

func (faulty) Name() string { return "faulty" }

func (f faulty) Recall(ctx context.Context, _ source.Ask, _ int) ([]source.Candidate, error) {
	switch f.how {
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "hangs":
		select {} // heeds no deadline
	case "panics":
		panic("out of its mind")
	}
	return nil, errors.New("disk on fire")
}

// TestDegraded: a source costs its share, not the answer.
func TestDegraded(t *testing.T) {
	for how, want := range map[string]string{
		"fails": "disk on fire", "slow": "no answer within 50ms", "hangs": "no answer within", "panics": "out of its mind",
	} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t, 20, func(c *Config) {
				sources := DefaultSources()
				sources.Page = append(sources.Page, faulty{how})
				c.Sources, c.Settings.SourceDeadline = &sources, 50*time.Millisecond
			})
			s := w.page("ann")
			if len(s.Items) != 20 {
				t.Errorf("%d items, want 20 from the other sources", len(s.Items))
			}
			if len(s.Degraded) != 1 || s.Degraded[0].Stage != "faulty" || !strings.Contains(s.Degraded[0].Reason, want) {
				t.Errorf("degraded %v, want faulty with %q", s.Degraded, want)
			}
		})
	}
	w := newWorld(t, 20, func(c *Config) { c.Sources = &Sources{Page: []source.Source{faulty{"fails"}}} })
	if _, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{}); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("with nothing to serve: %v, want ErrUnavailable", err)
	}
}

// TestSimilar: near what is wanted, away from what is not.
func TestSimilar(t *testing.T) {
	w := newWorld(t, 30, nil)
	both := itemOf("space", 90)
	both.Tags = []string{"space", "music"}
	w.put(both)
	for _, strategy := range []string{"", "average", "best_score"} {
		s := w.asks(upnext.Request{Like: []upnext.ItemID{"space-001", "chess-001"}, LikeStrategy: strategy, Count: 10})
		if sp, ch := about(s, "space"), about(s, "chess"); sp+ch != 10 || sp < 2 || ch < 2 {
			t.Errorf("%q: %d of space, %d of chess; want 10 of both", strategy, sp, ch)
		}
		for _, p := range s.Items {
			if p.Item == "space-001" || p.Item == "chess-001" {
				t.Errorf("%q: %s is similar to itself", strategy, p.Item)
			}
			if len(p.Reasons) == 0 || p.Reasons[0].Code != "similar_to" {
				t.Errorf("%q: %s has reasons %v, want similar_to", strategy, p.Item, p.Reasons)
			}
		}
		req := upnext.Request{Like: []upnext.ItemID{both.ID}, LikeStrategy: strategy, Count: 10}
		with := w.asks(req)
		req.Unlike = []upnext.ItemID{"music-003"}
		if without := w.asks(req); about(without, "music") >= about(with, "music") {
			t.Errorf("%q: music %d, and less music %d", strategy, about(with, "music"), about(without, "music"))
		}
	}
	_, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Like: []upnext.ItemID{"space-001", "nothing"}})
	if !errors.Is(err, upnext.ErrNotFound) || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("an unknown item: %v, want ErrNotFound naming it", err)
	}
	// An item that is not embedded yet is matched by its words.
	if err := w.index.Delete(t.Context(), "chess-002"); err != nil {
		t.Fatal(err)
	}
	s := w.asks(upnext.Request{Like: []upnext.ItemID{"chess-002"}, Count: 5})
	if about(s, "chess") != 5 || len(s.Degraded) != 1 {
		t.Errorf("without a vector: %v, degraded %v; want chess, and that said", ids(s), s.Degraded)
	}
}

// TestSearch: words and meaning, seen items included, blocked ones not.
func TestSearch(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: "chess-007"})
	w.does("ann", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeCreator, Creator: "c-chess-1"})
	s := w.asks(upnext.Request{Viewer: user("ann"), Query: "a chess film, number 7"})
	if len(s.Items) == 0 || s.Items[0].Item != "chess-007" || s.Items[0].Reasons[0].Code != "matches_search" {
		t.Fatalf("the first is %+v, want chess-007, seen as it is, because it matches", s.Items[:1])
	}
	for _, p := range s.Items {
		if rec, _ := w.rec.Record(tenantT, p.Item); rec.Item.CreatorID == "c-chess-1" {
			t.Errorf("%s is by a blocked creator", p.Item)
		}
	}
	film := itemOf("music", 50)
	film.Title, film.Tags = "深夜的火锅店", []string{"cooking"}
	w.put(film)
	if s := w.asks(upnext.Request{Query: "火锅", Count: 5}); len(s.Items) == 0 || s.Items[0].Item != film.ID {
		t.Errorf("火锅 finds %v, want %s first", ids(s), film.ID)
	}
	if s := w.asks(upnext.Request{Query: "gardening", Count: 10}); about(s, "gardening") != 10 {
		t.Errorf("gardening finds %v", ids(s))
	}
	w.rec.Query = func(context.Context, string, string) ([]float32, error) { return nil, errors.New("endpoint is down") }
	if s := w.asks(upnext.Request{Query: "gardening", Count: 10}); len(s.Degraded) != 0 {
		t.Errorf("asked again: %v, and its vector was known", s.Degraded)
	}
	s = w.asks(upnext.Request{Query: "a gardening film", Count: 10})
	if about(s, "gardening") != 10 || len(s.Degraded) != 1 || s.Degraded[0].Stage != "meaning" {
		t.Errorf("without an encoder: %v, degraded %v; want gardening by its words", ids(s), s.Degraded)
	}
}

// TestDiversity: the dial turns likeness down, and no creator owns a page.
func TestDiversity(t *testing.T) {
	w := newWorld(t, 40, nil)
	for i := range 5 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", i).ID})
	}
	zero, all := 0.0, 0.9
	near := w.asks(upnext.Request{Viewer: user("ann"), Diversity: &zero})
	far := w.asks(upnext.Request{Viewer: user("ann"), Diversity: &all})
	if about(far, "space") >= about(near, "space") {
		t.Errorf("space %d at diversity 0, %d at 0.9", about(near, "space"), about(far, "space"))
	}
	makers := map[string]int{}
	for _, p := range w.page("ann").Items {
		rec, _ := w.rec.Record(tenantT, p.Item)
		if makers[rec.Item.CreatorID]++; makers[rec.Item.CreatorID] > 4 {
			t.Errorf("more than a fifth of the page is by %s", rec.Item.CreatorID)
		}
	}
	// Where only one creator is left the page is full all the same.
	s := w.asks(upnext.Request{Viewer: user("ann"), Filter: "creator_id == 'c-chess-1'", Count: 8})
	if len(s.Items) != 8 {
		t.Errorf("%d items of the only creator, want 8", len(s.Items))
	}
}

// TestFilter: what fails is out; what is short says so; what passes is found
// wherever it hides; backfill must be asked for.
func TestFilter(t *testing.T) {
	w := newWorld(t, 60, nil)
	w.history("ann")
	rare := itemOf("chess", 99)
	rare.Kind, rare.PublishedAt = "game", noon.Add(-9999*time.Hour)
	w.put(rare)
	s := w.asks(upnext.Request{Viewer: user("ann"), Filter: "kind == 'game'"})
	if !slices.Equal(ids(s), []upnext.ItemID{rare.ID}) || s.Shortfall != 19 {
		t.Errorf("%v, shortfall %d; want the one game and 19", ids(s), s.Shortfall)
	}
	s = w.asks(upnext.Request{Viewer: user("ann"), Filter: "kind == 'game'", Backfill: "popular"})
	if !slices.Equal(ids(s), []upnext.ItemID{rare.ID}) || s.Shortfall != 19 {
		t.Errorf("backfill: %v, shortfall %d; want nothing that fails the filter", ids(s), s.Shortfall)
	}
	_, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Filter: "kindd == 'game'"})
	if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "column 1") {
		t.Errorf("a wrong filter: %v", err)
	}
	plain := w.asks(upnext.Request{Viewer: user("ann")})
	boosted := w.asks(upnext.Request{Viewer: user("ann"), Boosts: []upnext.Boost{{If: "'football' in tags", Multiply: 50}}})
	if about(boosted, "football") <= about(plain, "football") {
		t.Errorf("football %d, boosted %d", about(plain, "football"), about(boosted, "football"))
	}
}

// TestReasonsInChinese: the words follow the viewer's locale.
func TestReasonsInChinese(t *testing.T) {
	w := newWorld(t, 20, nil)
	if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, upnext.Viewer{ID: user("li"), Locale: "zh-Hans-CN"}); err != nil {
		t.Fatal(err)
	}
	w.does("li", upnext.Event{Kind: upnext.Like, Item: "space-003"})
	s := w.page("li")
	if len(s.Items) == 0 || len(s.Items[0].Reasons) == 0 || s.Items[0].Reasons[0].Text != "因为你喜欢《A space film, number 3》" {
		t.Errorf("the first reason is %+v", s.Items[0].Reasons)
	}
	for _, p := range s.Items {
		sum := 0.0
		for _, r := range p.Reasons {
			if !strings.ContainsAny(r.Text, "因与看正大最换来") {
				t.Errorf("%q is not Chinese", r.Text)
			}
			sum += r.Weight
		}
		if sum > 1+1e-9 || math.IsNaN(sum) {
			t.Errorf("%s: the reasons weigh %g together", p.Item, sum)
		}
	}
	if s := w.asks(upnext.Request{Viewer: user("li"), Explain: "none"}); s.Items[0].Reasons != nil {
		t.Errorf("reasons %v, none asked for", s.Items[0].Reasons)
	}
}

// TestTrace: a traced answer tells the rank of each item after each stage, and
// who dropped what was dropped; others are told nothing of it.
func TestTrace(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 1).ID})
	w.refresh()
	s := w.asks(upnext.Request{Viewer: user("ann"), Count: 5, Explain: ExplainTrace})
	for i, p := range s.Items {
		if p.Ranks["blend"] < 1 || p.Ranks["rank"] < 1 || p.Ranks["rerank"] != i+1 {
			t.Errorf("%s at %d: ranks %v", p.Item, i+1, p.Ranks)
		}
		if p.Ranks["rank"] > len(s.Items) && (len(p.Decisions) == 0 || p.Decisions[0].Action != rule.Moved) {
			t.Errorf("%s: %d by score, %d on the page: decisions %v", p.Item, p.Ranks["rank"], i+1, p.Decisions)
		}
	}
	for _, what := range []string{"diversity", "coverage", "novelty"} {
		if s.Variety[what] <= 0 {
			t.Errorf("variety %v, want some %s", s.Variety, what)
		}
	}
	if len(s.Unshown) == 0 {
		t.Fatal("nothing was left out")
	}
	for _, p := range s.Unshown {
		if _, shown := p.Ranks["rerank"]; shown || p.Ranks["rank"] != p.Rank {
			t.Errorf("%s was not shown: ranks %v, rank %d", p.Item, p.Ranks, p.Rank)
		}
	}
	plain := w.asks(upnext.Request{Viewer: user("ann")})
	if plain.Variety != nil {
		t.Errorf("without a trace: variety %v", plain.Variety)
	}
	for _, p := range plain.Items {
		if p.Ranks != nil || p.Decisions != nil {
			t.Errorf("without a trace: ranks %v, decisions %v", p.Ranks, p.Decisions)
		}
	}
	// An item that the sources still found, and that is blocked before the guard looks.
	q := &asked{tenant: w.rec.tenant(tenantT), trace: newTrace(), now: w.now}
	it := q.tenant.shelf.Item(itemOf("chess", 1).ID)
	q.guard.Now, q.guard.Items = w.now, map[upnext.ItemID]bool{it.Item.ID: true}
	q.guard.Viewer = w.state("ann")
	c := &candidate{item: it}
	if placed := q.arrange(rule.Page{Count: 1}, []*candidate{c}); len(placed) != 0 {
		t.Fatal("an excluded item passes")
	}
	var p upnext.Placed
	q.trace.tell(c, &p)
	if want := []upnext.Decision{{Rule: "guard", Action: "dropped", Detail: "excluded"}}; !slices.Equal(p.Decisions, want) {
		t.Errorf("decisions %v, want %v", p.Decisions, want)
	}
}

// TestOneItem: an item that changes while sources are asked is one candidate,
// though one brings it as it was and another as it is.
func TestOneItem(t *testing.T) {
	w := newWorld(t, 3, nil)
	id := itemOf("space", 1).ID
	before := w.rec.tenant(tenantT).shelf.Item(id)
	changed := itemOf("space", 1)
	changed.Title = "Another title"
	w.put(changed)
	now := w.rec.tenant(tenantT).shelf.Item(id)
	list := w.rec.fuse(&asked{}, []recalled{{name: "words", candidates: []source.Candidate{{Item: before, Score: 1}}}, {name: "meaning", candidates: []source.Candidate{{Item: now, Score: 1}}}})
	if before == now || len(list) != 1 || len(list[0].origins) != 2 {
		t.Fatalf("%d candidates of one item", len(list))
	}
}
