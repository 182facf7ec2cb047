package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"upnext"
	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/train"
)

// start runs the Runner until the test ends.
func (w *world) start() {
	ctx, stop := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	w.t.Cleanup(func() { stop(); running.Wait() })
}

func TestTrain(t *testing.T) {
	w := newWorld(t)
	w.append(twoWorlds(60)...)
	// Nothing of this is learned of: an item of one act, a view, and an item
	// right after itself.
	w.append(like("v0", "rare", 100), like("v0", "a00", 101), like("v0", "a00", 102))
	w.append(upnext.Event{ID: "view", Kind: upnext.View, Viewer: upnext.ViewerID{ID: "v1"}, Item: "b01", At: noon, ReceivedAt: noon})
	w.start()
	asked, err := w.Start(t.Context(), home, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := w.wait(asked.ID)
	if run.State != train.Succeeded || run.Bundle == nil {
		t.Fatalf("run: %+v", run)
	}
	d := run.Bundle.Data
	if d.Items != 24 || d.Viewers != 60 || d.Acts != 60*8+1 || d.Validated != 60 {
		t.Errorf("data %+v, want 24 items, 60 viewers, %d acts, 60 validated", d, 60*8+1)
	}
	if len(run.Steps) < 5 || !slices.ContainsFunc(run.Steps, func(s train.Step) bool { return s.Model == "ease" && s.Done == s.Total }) {
		t.Errorf("steps: %+v, want those of all models, at their ends", run.Steps)
	}
	if len(run.Curves) == 0 {
		t.Error("no curves")
	}
	b := w.inUse()
	if b.Version != run.Bundle.Version || len(b.Models) == 0 || run.Bundle.Blend.HR10 < .9 {
		t.Errorf("in use: %s with %d models, hr@10 %.2f; want %s", b.Version, len(b.Models), run.Bundle.Blend.HR10, run.Bundle.Version)
	}
	checkWorlds(t, b)

	// The same events and seed: the same models, to the byte.
	again, err := w.Start(t.Context(), home, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.wait(again.ID)
	if second := w.inUse(); second.Version == b.Version || !bytes.Equal(models(t, b), models(t, second)) {
		t.Errorf("%s and %s differ, or are one", b.Version, second.Version)
	}
}

func (w *world) inUse() *bundle.Bundle {
	w.t.Helper()
	p, err := w.Trainer.Registry.Current(w.t.Context(), home)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := w.Trainer.Registry.Open(w.t.Context(), home, p.Version)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// checkWorlds asks with two items of one world: the best others are of it.
func checkWorlds(t *testing.T, b *bundle.Bundle) {
	t.Helper()
	for _, side := range []string{"a", "b"} {
		one, _ := b.Number(upnext.ItemID(side + "00"))
		two, _ := b.Number(upnext.ItemID(side + "05"))
		scores := make([]float32, len(b.Items))
		if !b.Score(learn.History{Items: []int32{one, two}, At: []int64{noon.Unix(), noon.Unix() + 60}}, scores) {
			t.Fatal("nothing to say")
		}
		for i, id := range b.Items {
			for j, other := range b.Items {
				if strings.HasPrefix(string(id), side) && !strings.HasPrefix(string(other), side) && int32(i) != one && int32(i) != two && scores[i] <= scores[j] {
					t.Errorf("in world %s: %s has %.3f, %s %.3f", side, id, scores[i], other, scores[j])
				}
			}
		}
	}
}

func models(t *testing.T, b *bundle.Bundle) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, m := range b.Models {
		if err := m.Artefact().Write(&all); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}

// Where there is nothing but views, models learn from views.
func TestViewsAlone(t *testing.T) {
	w := newWorld(t)
	events := twoWorlds(40)
	for i := range events {
		events[i].Kind = upnext.View
	}
	w.append(events...)
	w.start()
	asked, err := w.Start(t.Context(), home, []string{"ease"})
	if err != nil {
		t.Fatal(err)
	}
	if run := w.wait(asked.ID); run.State != train.Succeeded || run.Bundle.Data.Acts != 40*8 {
		t.Errorf("run %+v, want one of %d acts", run, 40*8)
	}
}

// From nothing nothing is learned, and what was in use stays.
func TestBadLogs(t *testing.T) {
	for name, events := range map[string][]upnext.Event{
		"no event":          nil,
		"one viewer":        {like("v", "a", 1), like("v", "b", 2)},
		"one item":          {like("v", "a", 1), like("w", "a", 2)},
		"viewers of one":    {like("v", "a", 1), like("w", "a", 2), like("x", "b", 3), like("y", "b", 4)},
		"nothing in common": {like("v", "a", 1), like("w", "b", 2), like("v", "c", 3), like("w", "d", 4)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.append(events...)
			w.start()
			asked, err := w.Start(t.Context(), home, nil)
			if err != nil {
				t.Fatal(err)
			}
			if run := w.wait(asked.ID); run.State != train.Failed || !strings.Contains(run.Error, "invalid") {
				t.Errorf("run %+v, want failed as invalid", run)
			}
			if _, err := w.Trainer.Registry.Current(t.Context(), home); !errors.Is(err, upnext.ErrNotFound) {
				t.Errorf("in use: %v, want nothing", err)
			}
		})
	}
	w := newWorld(t)
	if _, err := w.Start(t.Context(), home, []string{"ease", "magic"}); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(fmt.Sprint(err), "ridge") {
		t.Errorf("a model that there is not: %v, want ErrInvalid with those there are", err)
	}
	if runs, err := w.List(t.Context(), home, 10); err != nil || len(runs) != 0 {
		t.Errorf("runs: %v, %v, want none", runs, err)
	}
}

// A run whose process died is taken up by the next one, but not without end.
func TestTakenUp(t *testing.T) {
	for _, tt := range []struct {
		attempts int
		want     train.State
	}{{1, train.Succeeded}, {3, train.Failed}} {
		w := newWorld(t)
		w.append(twoWorlds(20)...)
		asked, err := w.Start(t.Context(), home, []string{"ease"})
		if err != nil {
			t.Fatal(err)
		}
		asked.State, asked.Attempts = train.Running, tt.attempts
		w.leave(asked)
		w.start()
		if run := w.wait(asked.ID); run.State != tt.want || run.Attempts != tt.attempts+1 {
			t.Errorf("after %d attempts: %+v, want %s", tt.attempts, run, tt.want)
		}
	}
}
