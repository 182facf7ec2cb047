package serve

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/sequence"
	"upnext/serve/learned"
)

// reading is a bundle of a SASRec over the world's items, fitted on little.
func (w *world) reading(version string, per, length int) *bundle.Bundle {
	w.t.Helper()
	var ids []upnext.ItemID
	for i := range per {
		for _, topic := range topics {
			ids = append(ids, itemOf(topic, i).ID)
		}
	}
	log := learn.Log{Items: len(ids)}
	for v := range 30 {
		log.Viewers = append(log.Viewers, learn.History{Items: []int32{int32(v % len(ids)), int32((v * 7) % len(ids)), int32((v * 11) % len(ids))}})
	}
	f := sequence.SASRec{Dim: 16, Length: length, Training: sequence.Training{Epochs: 1, Batch: 16, Seed: 1}}
	m, err := f.Fit(w.t.Context(), log, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := bundle.New(bundle.Manifest{Format: bundle.Format, Version: version, Models: []bundle.Part{{Name: f.Name(), Weight: 1}}}, ids, []learn.Model{m})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// TestReadOn: after each event the page has what the whole history says, though
// only the event was read; and what is kept is bounded, and gone with the viewer
// and with the models.
func TestReadOn(t *testing.T) {
	const per, viewers = 10, 4
	w := newWorld(t, per, func(cfg *Config) {
		cfg.Settings.SourceDeadline, cfg.Settings.Deadline = time.Minute, 2*time.Minute
		cfg.Settings.ReadingBytes = 20 << 10
	})
	b := w.reading("one", per, 30)
	w.rec.Swap(tenantT, b)
	kept := func(name string) bool { _, ok := w.rec.viewers.read.of[viewerKey{tenantT, user(name)}]; return ok }
	for i := range 12 {
		name := fmt.Sprint("v", i%viewers)
		w.does(name, upnext.Event{Kind: upnext.Like, Item: itemOf(topics[i%len(topics)], (i*3)%per).ID})
		s := w.asks(upnext.Request{Viewer: user(name)})
		whole := learned.Score(b, w.state(name))
		for _, p := range slices.Concat(s.Items, s.Unshown) {
			if got, want := p.Features["learned"], whole.Of(w.rec.tenant(tenantT).shelf.Item(p.Item)); got != want {
				t.Fatalf("event %d: %s has learned %v, want %v", i, p.Item, got, want)
			}
		}
		if !kept(name) {
			t.Fatalf("event %d: nothing is kept of who asked last", i)
		}
		if r := &w.rec.viewers.read; r.bytes > r.most || r.bytes <= 0 || len(r.of) != r.idle.Len() || len(r.of) > viewers {
			t.Fatalf("event %d: %d bytes of %d viewers kept, %d allowed", i, r.bytes, len(r.of), r.most)
		}
	}
	if kept("v1") && kept("v2") && kept("v3") && kept("v0") {
		t.Error("all four are kept: the bound says nothing")
	}
	if _, err := w.rec.Erase(t.Context(), tenantT, user("v3")); err != nil || kept("v3") {
		t.Errorf("erased: kept %v, error %v", kept("v3"), err)
	}
	w.rec.Swap(tenantT, w.reading("two", per, 30))
	if r := &w.rec.viewers.read; len(r.of) != 0 || r.bytes != 0 {
		t.Errorf("after a swap %d readings of %d bytes by the former models", len(r.of), r.bytes)
	}
}

// TestReadOnTogether: requests, events, swaps and erasures of one viewer at once
// race for nothing, and leave what the whole history says.
func TestReadOnTogether(t *testing.T) {
	const per = 10
	w := newWorld(t, per, func(cfg *Config) {
		cfg.Settings.SourceDeadline, cfg.Settings.Deadline = time.Minute, 2*time.Minute
	})
	bundles := []*bundle.Bundle{w.reading("one", per, 30), w.reading("two", per, 30)}
	w.rec.Swap(tenantT, bundles[0])
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 25 {
				switch {
				case g == 0:
					e := upnext.Event{ID: upnext.EventID(fmt.Sprint("e", i)), Kind: upnext.Like, At: noon, Viewer: user("ann"), Item: itemOf(topics[i%8], i%per).ID}
					if _, err := w.rec.Feedback(t.Context(), tenantT, e); err != nil {
						t.Error(err)
					}
				case g == 1 && i%6 == 0:
					w.rec.Swap(tenantT, bundles[i/6%2])
				default:
					if _, err := w.rec.Recommend(t.Context(), tenantT, upnext.Request{Viewer: user("ann")}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	s := w.asks(upnext.Request{Viewer: user("ann")})
	whole := learned.Score(w.rec.Bundle(tenantT), w.state("ann"))
	for _, p := range s.Items {
		if got, want := p.Features["learned"], whole.Of(w.rec.tenant(tenantT).shelf.Item(p.Item)); got != want {
			t.Errorf("%s has learned %v, want %v", p.Item, got, want)
		}
	}
}

// BenchmarkReadOn is a question to a SASRec of 200 acts after one more of them:
// by the reading that was kept, and by the whole history.
func BenchmarkReadOn(b *testing.B) {
	w := newWorld(b, 300, nil)
	bu := w.reading("one", 300, 200)
	h := learn.History{}
	for i := range 150 {
		h.Items = append(h.Items, int32(i*7%len(bu.Items)))
	}
	scores := make([]float32, len(bu.Items))
	for name, keep := range map[string]bool{"kept": true, "whole": false} {
		b.Run(name, func(b *testing.B) {
			var r *bundle.Reading
			grown := h
			for i := 0; b.Loop(); i++ {
				if len(grown.Items) > 190 {
					grown = h
				}
				grown.Items = append(slices.Clip(grown.Items), int32(i%len(bu.Items)))
				if !keep {
					r = nil
				}
				r = bu.Read(r, grown)
				r.ScoreAll(grown, scores)
			}
		})
	}
}
