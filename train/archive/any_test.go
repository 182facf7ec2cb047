package archive_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
	"upnext/train/archive"
)

// TestAnyOrder interleaves appends, retractions, erasures, runs that break
// anywhere, restarts, and retention. After every run each event that was
// acknowledged and not taken back is in the database or in the archive; a
// reader of all files meets it at most once; at the end it is in the archive
// once, and what was taken back is not.
func TestAnyOrder(t *testing.T) {
	w, run := newWorld(t, archive.Settings{}), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w.tenant, w.now = upnext.Tenant(fmt.Sprint("tenant ", run)), noon
		h := &history{T: rt, t: t, w: w, live: map[int64]upnext.Event{}}
		h.reopen()
		for range rapid.IntRange(4, 10).Draw(rt, "steps") {
			step := rapid.SampledFrom([]string{"append", "append", "run", "crash", "crash", "retract", "erase", "reopen", "wait"}).Draw(rt, "step")
			switch step {
			case "append":
				h.append()
			case "run":
				h.run(0, false)
			case "crash":
				h.run(rapid.IntRange(1, 14).Draw(rt, "at write"), rapid.Bool().Draw(rt, "late"))
			case "retract":
				h.retract()
			case "erase":
				h.erase()
			case "reopen":
				h.reopen()
			case "wait":
				w.now = w.now.Add(time.Hour)
			}
			if step == "crash" || step == "run" { // the others change the database alone
				h.check(false)
			}
		}
		h.run(0, false)
		h.check(true)
	})
}

// history is what a TestAnyOrder has done.
type history struct {
	*rapid.T
	t    *testing.T
	w    *world
	n    int
	live map[int64]upnext.Event // acknowledged and not taken back
}

func (h *history) viewer() upnext.ViewerID {
	return upnext.ViewerID{ID: rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(h.T, "viewer")}
}

func (h *history) append() {
	events := make([]upnext.Event, rapid.IntRange(1, 6).Draw(h.T, "events"))
	for i := range events {
		h.n++
		events[i] = view(h.viewer().ID, h.n)
		events[i].At = noon.AddDate(0, 0, -rapid.IntRange(0, 3).Draw(h.T, "days ago"))
		events[i].ReceivedAt = h.w.now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(h.T, "hours")) * time.Hour)
	}
	for _, e := range h.w.append(h.t, events...) {
		h.live[e.Seq] = e
	}
}

func (h *history) run(breakAt int, late bool) {
	h.w.blobs.breakAt(breakAt, late)
	_, err := h.w.RunOnce(h.t.Context(), h.w.tenant)
	h.w.blobs.mend()
	if err != nil && (breakAt <= 0 || !errors.Is(err, errCrash)) {
		h.Fatalf("run: %v", err)
	}
}

func (h *history) reopen() {
	h.w.open(h.t, h.w.store, secret, archive.Settings{
		MaxRows:    rapid.IntRange(3, 12).Draw(h.T, "batch"),
		HashDigits: rapid.IntRange(1, 2).Draw(h.T, "digits"),
		Keep:       archive.Keep{Latest: rapid.IntRange(0, 3).Draw(h.T, "keep"), For: time.Hour},
	})
}

// retract takes back an event that the database still has.
func (h *history) retract() {
	held, err := h.w.store.Events.Since(h.t.Context(), h.w.tenant, 0, math.MaxInt32)
	if err != nil {
		h.Fatalf("since: %v", err)
	}
	if len(held) == 0 {
		return
	}
	e := rapid.SampledFrom(held).Draw(h.T, "event")
	gone, err := h.w.store.Events.Retract(h.t.Context(), h.w.tenant, e.Viewer, e.ID)
	if err == nil {
		err = h.w.Retract(h.t.Context(), h.w.tenant, gone)
	}
	if err != nil {
		h.Fatalf("retract: %v", err)
	}
	delete(h.live, e.Seq)
}

func (h *history) erase() {
	viewer := h.viewer()
	if _, err := h.w.store.Events.Erase(h.t.Context(), h.w.tenant, viewer); err != nil {
		h.Fatalf("erase: %v", err)
	}
	if err := h.w.Forget(h.t.Context(), h.w.tenant, viewer); err != nil {
		h.Fatalf("forget: %v", err)
	}
	for seq, e := range h.live {
		if e.Viewer == viewer {
			delete(h.live, seq)
		}
	}
}

// check compares the database and the archive with what must be there.
func (h *history) check(atEnd bool) {
	archived := h.w.read(h.t, time.Time{}, time.Time{})
	held, err := h.w.store.Events.Since(h.t.Context(), h.w.tenant, 0, math.MaxInt32)
	if err != nil {
		h.Fatalf("since: %v", err)
	}
	for seq, e := range h.live {
		row, ok := archived[seq]
		if !ok && (atEnd || !slices.ContainsFunc(held, func(e upnext.Event) bool { return e.Seq == seq })) {
			h.Errorf("event %d of %s is neither in the database nor in the archive (at the end: %v)", seq, e.Viewer, atEnd)
		}
		if ok && (row.At != e.At.UnixMicro() || row.Item != string(e.Item)) {
			h.Errorf("event %d is archived as %+v, was %+v", seq, row, e)
		}
	}
	if atEnd && len(archived) != len(h.live) {
		h.Errorf("%d events archived at the end, want %d", len(archived), len(h.live))
	}
	// A foreign reader takes every file that is there.
	seen := map[int64]string{}
	for key, seqs := range h.w.globbed(h.t) {
		for _, seq := range seqs {
			if other, twice := seen[seq]; twice {
				h.Errorf("event %d is in %s and in %s", seq, other, key)
			}
			seen[seq] = key
		}
	}
	if atEnd && len(seen) != len(h.live) {
		h.Errorf("%d events in all files, want %d: %v", len(seen), len(h.live), fmt.Sprint(seen))
	}
}
