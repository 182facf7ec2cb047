package serve

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/index"
	"upnext/infra/blob/dir"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/serve/learned"
	"upnext/serve/taste"
	"upnext/train"
	"upnext/train/registry"
)

// partners are topics that the same viewers take to, though nothing in their
// content is alike.
var partners = map[string]string{"cooking": "space", "space": "cooking", "travel": "chess", "chess": "travel"}

// crowds have viewers take to items of a topic and then to one of its partner.
func (w *world) crowds(viewers, per int) {
	for v := range viewers {
		name, topic := fmt.Sprintf("crowd-%d", v), []string{"cooking", "space", "travel", "chess"}[v%4]
		for i := range 5 {
			w.does(name, upnext.Event{Kind: upnext.Like, Item: itemOf(topic, (v*3+i*5)%per).ID})
		}
		for i := range 2 {
			w.does(name, upnext.Event{Kind: upnext.Like, Item: itemOf(partners[topic], (v*7+i*3)%per).ID})
		}
	}
}

// trained is a bundle of the world's events, as cmd/upnext makes it, read back
// from where it was stored.
func (w *world) trained(names ...string) *bundle.Bundle {
	w.t.Helper()
	blobs, err := dir.Open(w.t.TempDir())
	if err != nil {
		w.t.Fatal(err)
	}
	r := &registry.Registry{Blobs: blobs, Locks: w.store.Locks, Load: train.Load, Keep: 2, Now: w.cfg.Now}
	tr := &train.Trainer{
		Events: w.store.Events, Registry: r, Speaks: w.rec.Speaks, Least: 2, Validated: 1000, Seed: 1, Logger: slog.New(slog.DiscardHandler), Now: w.cfg.Now,
		Content: func(ctx context.Context, t upnext.Tenant, ids []upnext.ItemID) (string, [][]float32, error) {
			name, idx, err := w.cfg.Collections.Active(ctx, t)
			if err != nil {
				return "", nil, err
			}
			vectors, err := idx.Vectors(ctx, ids...)
			return name, vectors, err
		},
	}
	m, err := tr.Train(w.t.Context(), tenantT, names, nil, func(string, learn.Step) {})
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := r.Open(w.t.Context(), tenantT, m.Version)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) meet() {
	w.t.Helper()
	if err := w.rec.meet(w.t.Context(), w.rec.tenant(tenantT)); err != nil {
		w.t.Fatal(err)
	}
}

// learnedOf is what the models say of an item to a viewer, on a page that has
// room for everything.
func (w *world) learnedOf(viewer string, id upnext.ItemID) (score float64, p upnext.Placed) {
	w.t.Helper()
	s := w.asks(upnext.Request{Viewer: user(viewer), Count: 200, Explain: "trace"})
	for _, p := range slices.Concat(s.Items, s.Unshown) {
		if p.Item == id {
			return p.Features["learned"], p
		}
	}
	return math.NaN(), p
}

// TestNewcomers: a new item is scored by the models before its first view, by
// what the crowd of the viewer took to and not by what the viewer did.
func TestNewcomers(t *testing.T) {
	for _, names := range [][]string{{"ease"}, {"ridge"}, {"ease", "ridge", "popular"}} {
		t.Run(strings.Join(names, "+"), func(t *testing.T) {
			const per = 20
			var told bytes.Buffer
			w := newWorld(t, per, func(cfg *Config) { cfg.Logger = slog.New(slog.NewTextHandler(&told, nil)) })
			w.crowds(120, per)
			w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 1).ID})
			w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 6).ID})
			w.does("bob", upnext.Event{Kind: upnext.Like, Item: itemOf("travel", 1).ID})
			w.does("bob", upnext.Event{Kind: upnext.Like, Item: itemOf("travel", 6).ID})
			b := w.trained(names...)
			if b.Content == nil || b.Content.Collection != "topics" || b.Content.Dim != dim || b.Content.NDCG10 <= b.Content.Alone {
				t.Fatalf("content %+v, want maps that find more than content alone does", b.Content)
			}
			t.Logf("among new items: NDCG@10 %.3f by the maps, %.3f by content alone, %d cases", b.Content.NDCG10, b.Content.Alone, b.Content.Cases)
			w.rec.Swap(tenantT, b)
			fresh := itemOf("space", per+1)
			w.put(fresh)
			before := w.rec.Bundle(tenantT)
			if s, _ := w.learnedOf("ann", fresh.ID); s > 0 {
				t.Errorf("before it was met it has %v", s)
			}
			w.meet()
			if now := w.rec.Bundle(tenantT); now == before || !slices.Contains(now.Newcomers(), fresh.ID) || now.Version != b.Version {
				t.Fatalf("newcomers %v of %s, want %s among them", now.Newcomers(), now.Version, fresh.ID)
			}
			ann, placed := w.learnedOf("ann", fresh.ID)
			bob, _ := w.learnedOf("bob", fresh.ID)
			if !(ann > 0) || ann > 1 || bob >= ann {
				t.Errorf("learned %v for who took to its partner, %v for the opposite; want the first above 0 and the second below it", ann, bob)
			}
			if !slices.Contains(placed.Sources, "learned") {
				t.Errorf("sources %v, want learned among them", placed.Sources)
			}
			top := learned.Score(w.rec.Bundle(tenantT), w.state("ann")).Top(&w.rec.tenant(tenantT).shelf, per*len(topics))
			if at := slices.Index(top, w.rec.tenant(tenantT).shelf.Item(fresh.ID)); at < 0 || at > per*len(topics)/2 {
				t.Errorf("%s is %d. of %d to ann, want it in the better half", fresh.ID, at, len(top))
			}

			// An item that the viewer takes to is no measure any more; one that goes
			// is forgotten; another collection's vectors are not used.
			w.does("ann", upnext.Event{Kind: upnext.Like, Item: fresh.ID})
			if s := learned.Score(w.rec.Bundle(tenantT), w.state("ann")); s == nil || s.Of(w.rec.tenant(tenantT).shelf.Item(fresh.ID)) != 0 {
				t.Errorf("taken to, it has %v, want 0", s.Of(w.rec.tenant(tenantT).shelf.Item(fresh.ID)))
			}
			if _, err := w.cfg.Catalog.Delete(t.Context(), tenantT, fresh.ID); err != nil {
				t.Fatal(err)
			}
			w.refresh()
			w.meet()
			if n := w.rec.Bundle(tenantT).Newcomers(); slices.Contains(n, fresh.ID) {
				t.Errorf("deleted, it is still among %v", n)
			}
			if _, err := w.cfg.Collections.Create(t.Context(), tenantT, "other", index.Spec{Dim: dim}); err != nil {
				t.Fatal(err)
			}
			if err := w.cfg.Collections.Promote(t.Context(), tenantT, "other"); err != nil {
				t.Fatal(err)
			}
			w.meet()
			w.meet()
			if n := w.rec.Bundle(tenantT).Newcomers(); len(n) > 0 {
				t.Errorf("in another collection newcomers are %v, want none", n)
			}
			if n := strings.Count(told.String(), "map of content is not used"); n != 1 {
				t.Errorf("said %d times that the map is not used, want once", n)
			}
			if err := w.cfg.Collections.Promote(t.Context(), tenantT, "topics"); err != nil {
				t.Fatal(err)
			}
			w.put(fresh)
			w.meet()
			if n := w.rec.Bundle(tenantT).Newcomers(); !slices.Contains(n, fresh.ID) {
				t.Errorf("back in the map's collection newcomers are %v, want %s", n, fresh.ID)
			}
			w.rec.Swap(tenantT, b) // as by a promotion and the way back
			w.meet()
			if n := w.rec.Bundle(tenantT).Newcomers(); !slices.Contains(n, fresh.ID) {
				t.Errorf("after a swap newcomers are %v, want %s", n, fresh.ID)
			}
		})
	}
}

// TestNewcomersLate: an item that has no vector yet is asked for again, one
// that was embedded anew is read again.
func TestNewcomersLate(t *testing.T) {
	const per = 20
	w := newWorld(t, per, nil)
	w.crowds(120, per)
	w.rec.Swap(tenantT, w.trained("ease"))
	late := itemOf("space", per+1)
	if _, err := w.cfg.Catalog.Put(t.Context(), tenantT, upnext.Record{Item: late, Hash: "late"}); err != nil {
		t.Fatal(err)
	}
	w.refresh()
	for range 3 {
		w.meet()
	}
	if n := w.rec.Bundle(tenantT).Newcomers(); slices.Contains(n, late.ID) {
		t.Fatalf("newcomers %v without a vector", n)
	}
	if err := w.index.Upsert(t.Context(), index.Entry{ID: late.ID, Vector: vectorOf("late", "space")}); err != nil {
		t.Fatal(err)
	}
	for range newcomersRest + 1 {
		w.meet()
	}
	if n := w.rec.Bundle(tenantT).Newcomers(); !slices.Contains(n, late.ID) {
		t.Fatalf("newcomers %v, want %s, whose vector has come", n, late.ID)
	}
	held := w.rec.Bundle(tenantT)
	for range newcomersRest {
		w.meet()
	}
	if w.rec.Bundle(tenantT) != held {
		t.Error("nothing has changed and the bundle was made again")
	}
	late.Title = "It is about chess"
	if _, err := w.cfg.Catalog.Put(t.Context(), tenantT, upnext.Record{Item: late, Hash: "later"}); err != nil {
		t.Fatal(err)
	}
	w.refresh()
	w.meet()
	if err := w.index.Upsert(t.Context(), index.Entry{ID: late.ID, Vector: vectorOf("late", "chess")}); err != nil {
		t.Fatal(err)
	}
	for range newcomersRest {
		w.meet()
	}
	if w.rec.Bundle(tenantT) == held {
		t.Error("the item has another vector, the bundle the former one")
	}
}

// state is what is believed of a viewer.
func (w *world) state(viewer string) *taste.State {
	w.t.Helper()
	known, err := w.rec.viewers.get(w.t.Context(), w.rec.tenant(tenantT), user(viewer), "topics", w.index)
	if err != nil {
		w.t.Fatal(err)
	}
	return known.state
}
