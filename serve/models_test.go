package serve

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/bundle"
)

// favours is a model that puts the items of one topic above all others.
type favours struct {
	items []upnext.ItemID
	topic string
}

func (f favours) Name() string                { return f.topic }
func (f favours) Items() int                  { return len(f.items) }
func (f favours) Artefact() artefact.Artefact { return artefact.Artefact{} }
func (f favours) Score(h learn.History, scores []float32) bool {
	for i, id := range f.items {
		scores[i] = 0
		if topicOf(id) == f.topic {
			scores[i] = 1
		}
	}
	return len(h.Items) > 0
}

func topicOf(id upnext.ItemID) string { return string(id[:len(id)-4]) }

// favouring is a bundle named for what it favours.
func (w *world) favouring(topic string, per int) *bundle.Bundle {
	w.t.Helper()
	var ids []upnext.ItemID
	for i := range per {
		for _, topic := range topics {
			ids = append(ids, itemOf(topic, i).ID)
		}
	}
	b, err := bundle.New(bundle.Manifest{Format: bundle.Format, Version: topic, Models: []bundle.Part{{Name: topic, Weight: 1}}}, ids, []learn.Model{favours{ids, topic}})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// TestModels: what the models say is on the page of who has a history, said to
// be so, and gone with the models.
func TestModels(t *testing.T) {
	w := newWorld(t, 30, nil)
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 1).ID})
	w.refresh()
	before := w.asks(upnext.Request{Viewer: user("ann")})
	w.rec.Swap(tenantT, w.favouring("chess", 30))
	s := w.asks(upnext.Request{Viewer: user("ann")})
	if s.Versions["models"] != "chess" || about(s, "chess") <= about(before, "chess") {
		t.Errorf("models %q, %d about chess, without them %d", s.Versions["models"], about(s, "chess"), about(before, "chess"))
	}
	told := false
	for _, p := range s.Items {
		if want := topicOf(p.Item) == "chess"; slices.Contains(p.Sources, "learned") && want != (p.Features["learned"] == 1) {
			t.Errorf("%s: learned %v", p.Item, p.Features["learned"])
		}
		told = told || slices.ContainsFunc(p.Reasons, func(r upnext.Reason) bool { return r.Code == "viewers_like_you" })
	}
	if !told {
		t.Error("no item is there because of viewers with a like taste")
	}
	if s := w.asks(upnext.Request{Viewer: user("nobody")}); about(s, "chess") > 6 {
		t.Errorf("%d of a newcomer's page about chess: the models know nothing of them", about(s, "chess"))
	}
	w.rec.Swap(tenantT, nil)
	if s := w.asks(upnext.Request{Viewer: user("ann")}); s.Versions["models"] != "" || about(s, "chess") != about(before, "chess") {
		t.Errorf("after they were taken away: %v, %d about chess, want %d", s.Versions, about(s, "chess"), about(before, "chess"))
	}
}

// TestSpeaks: what models learn from is what counts for an item, also of a
// tenant that nobody has asked for yet.
func TestSpeaks(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.refresh()
	speaks, err := New(w.cfg).Speaks(t.Context(), tenantT)
	if err != nil {
		t.Fatal(err)
	}
	item := itemOf("chess", 1).ID
	for _, tt := range []struct {
		e              upnext.Event
		atAll, clearly bool
	}{
		{upnext.Event{Kind: upnext.Like, Item: item}, true, true},
		{upnext.Event{Kind: upnext.View, Item: item}, true, false},
		{upnext.Event{Kind: upnext.Impression, Item: item}, false, false},
		{upnext.Event{Kind: upnext.Dislike, Item: item}, false, false},
		{upnext.Event{Kind: upnext.Like, Item: "not there"}, false, false},
	} {
		if atAll, clearly := speaks(tt.e); atAll != tt.atAll || clearly != tt.clearly {
			t.Errorf("%s of %q: got %v, %v, want %v, %v", tt.e.Kind, tt.e.Item, atAll, clearly, tt.atAll, tt.clearly)
		}
	}
}

// TestSwaps swaps twenty times under load: no answer fails, and each is by the
// models that it names, from its first item to its last.
func TestSwaps(t *testing.T) {
	const per = 30
	w := newWorld(t, per, func(cfg *Config) { // on a busy machine the models are not late either
		cfg.Settings.SourceDeadline, cfg.Settings.Deadline = time.Minute, 2*time.Minute
	})
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 1).ID})
	w.refresh()
	var bundles []*bundle.Bundle
	for _, topic := range topics {
		bundles = append(bundles, w.favouring(topic, per))
	}
	w.rec.Swap(tenantT, bundles[0])
	var done atomic.Bool
	var asking sync.WaitGroup
	var mu sync.Mutex
	met := map[string]int{}
	for range 4 {
		asking.Go(func() {
			for !done.Load() {
				s, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Viewer: user("ann")})
				if err != nil {
					t.Error(err)
					return
				}
				version := s.Versions["models"]
				for _, p := range slices.Concat(s.Items, s.Unshown) {
					if (p.Features["learned"] == 1) != (topicOf(p.Item) == version) {
						t.Errorf("by %s: %s has learned %v", version, p.Item, p.Features["learned"])
					}
				}
				mu.Lock()
				met[version]++
				mu.Unlock()
			}
		})
	}
	answers := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, by := range met {
			n += by
		}
		return n
	}
	for i := range 20 {
		enough := answers() + 8 // of them some were begun after the swap
		w.rec.Swap(tenantT, bundles[i%len(bundles)])
		for answers() < enough && !t.Failed() {
			runtime.Gosched()
		}
	}
	done.Store(true)
	asking.Wait()
	if len(met) != len(topics) {
		t.Errorf("answers by %v, want some by each", met)
	}
}

// counting counts how often a model reads a history.
type counting struct {
	favours
	n *atomic.Int64
}

func (c counting) Score(h learn.History, scores []float32) bool {
	c.n.Add(1)
	return c.favours.Score(h, scores)
}

// TestAskedOnce: the models are asked anew after an event, a retraction and a
// swap, and not for the pages between.
func TestAskedOnce(t *testing.T) {
	w := newWorld(t, 10, func(cfg *Config) {
		cfg.Settings.SourceDeadline, cfg.Settings.Deadline = time.Minute, 2*time.Minute
	})
	var n atomic.Int64
	versioned := func(version string) *bundle.Bundle {
		f := w.favouring("chess", 10).Models[0].(favours)
		b, err := bundle.New(bundle.Manifest{Format: bundle.Format, Version: version, Models: []bundle.Part{{Name: "chess", Weight: 1}}}, f.items, []learn.Model{counting{f, &n}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	w.rec.Swap(tenantT, versioned("1"))
	var last upnext.EventID
	for i, change := range []func(){
		func() { w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", 1).ID}) },
		func() { last = w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 1).ID}) },
		func() { w.rec.Swap(tenantT, versioned("2")) },
		func() {
			if err := w.rec.Retract(t.Context(), tenantT, user("ann"), last); err != nil {
				t.Fatal(err)
			}
		},
	} {
		change()
		for range 3 {
			w.page("ann")
		}
		if got, want := n.Load(), int64(i+1); got != want {
			t.Fatalf("after change %d: asked %d times, want %d", i, got, want)
		}
	}
}
