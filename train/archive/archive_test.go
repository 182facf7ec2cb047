package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/train/archive"
)

// full is an event with everything in it.
func full() upnext.Event {
	return upnext.Event{
		ID: "secret-id", Kind: upnext.Progress, At: noon.Add(-time.Hour), Viewer: upnext.ViewerID{ID: "ann@example.org"},
		Session: "session-of-ann", Item: "i/1", Creator: "c", Target: "bob", Topic: "sea", Query: " My  Disease", Text: "my words",
		Value: .5, Amount: 2, Currency: "EUR", Scope: upnext.ScopeItem, Token: "1", Surface: "home", Position: 3,
		Watch:      &upnext.Watch{Watched: 1500 * time.Millisecond, Position: 2 * time.Second, Duration: time.Minute},
		Context:    map[string]any{"device": "tv", "n": 1.5, "ip": "192.0.2.1"},
		ReceivedAt: noon,
	}
}

func TestEventColumns(t *testing.T) {
	w := newWorld(t, archive.Settings{Context: []string{"device", "n", "absent"}})
	bob := view("bob", 0)
	other := full()
	other.ID, other.Query, other.Token, other.Watch = "2", "my disease", "forged", nil
	other.At = time.Time{}
	log := w.append(t, full(), bob, other)
	if done := w.run(t); done.Events != 3 {
		t.Errorf("archived %+v, want 3 events", done)
	}
	rows := w.read(t, time.Time{}, time.Time{})
	got := rows[log[0].Seq]
	ms := func(n int64) *int64 { return &n }
	want := archive.Event{
		Seq: log[0].Seq, Viewer: got.Viewer, Session: got.Session, Kind: "progress", At: noon.Add(-time.Hour).UnixMicro(), ReceivedAt: noon.UnixMicro(),
		Item: "i/1", Creator: "c", Target: rows[log[1].Seq].Viewer, Topic: "sea", Query: got.Query, Value: .5, Amount: 2,
		Currency: "EUR", Scope: "item", Slate: "rec_1", Surface: "home", Position: 3,
		Watched: ms(1500), PlayedTo: ms(2000), Duration: ms(60_000), Context: map[string]string{"device": "tv", "n": "1.5"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("row:\n got %+v\nwant %+v", got, want)
	}
	second := rows[log[2].Seq]
	if second.Query != got.Query || second.Viewer != got.Viewer || second.Slate != "" || second.Watched != nil || !time.UnixMicro(second.At).IsZero() {
		t.Errorf("second row %+v, want the pseudonyms of %+v, no slate, nothing watched, no time", second, got)
	}
	if len(got.Viewer) != 33 || got.Viewer == rows[log[1].Seq].Viewer || got.Session == "" || got.Query == "" {
		t.Errorf("pseudonyms %q, %q, %q", got.Viewer, got.Session, got.Query)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ann", "isease", "words", "secret", "192.0", "bob"} {
		if strings.Contains(string(text), word) {
			t.Errorf("%q is in the row %s", word, text)
		}
	}
	for _, key := range w.files(t) {
		if !strings.HasPrefix(key, "default/archive/events/day=2026-11-25/user_hash=p") {
			t.Errorf("file %s, want the day of acceptance", key)
		}
	}
	if got := w.read(t, noon.Add(-time.Hour), noon); len(got) != 1 || got[log[0].Seq].Item != "i/1" {
		t.Errorf("events of the hour before noon: %v, want the first alone", got)
	}
}

func TestSlateColumns(t *testing.T) {
	w := newWorld(t, archive.Settings{})
	in := upnext.Slate{
		ID: "rec_1", Viewer: upnext.ViewerID{ID: "ann"}, Session: "s", Scenario: "home", Variant: "b", At: noon, Shortfall: 2,
		Items: []upnext.Placed{{
			Item: "a", Rank: 1, Score: .5, Sources: []string{"taste", "last"}, Features: map[string]float64{"x": 1, "y": -.25},
			Propensity: .75, Reasons: []upnext.Reason{{Code: "because_watched", Text: "Because you watched Ann's secret"}}, Token: "t",
		}, {Item: "b", Rank: 2}},
		Unshown:  []upnext.Placed{{Item: "c", Score: .1, Features: map[string]float64{"x": 0}}},
		Degraded: []upnext.Degraded{{Stage: "recall", Reason: "slow"}}, Versions: map[string]string{"settings": "abc"},
		Timings: map[string]time.Duration{"total": time.Second},
	}
	if err := w.store.Slates.Record(t.Context(), home, in, upnext.Slate{ID: "rec_2", Viewer: in.Viewer, At: noon}); err != nil {
		t.Fatal(err)
	}
	if done := w.run(t); done.Slates != 2 {
		t.Errorf("archived %+v, want 2 slates", done)
	}
	var got []archive.Slate
	for s, err := range archive.Slates(t.Context(), w.blobs, home, time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if len(got) != 2 || got[1].ID != "rec_2" || len(got[1].Items) != 0 {
		t.Fatalf("read %+v, want both slates", got)
	}
	s := got[0]
	first, second, unshown := s.Items[0], s.Items[1], s.Unshown[0]
	if s.ID != "rec_1" || s.Scenario != "home" || s.Variant != "b" || s.At != noon.UnixMicro() || s.Shortfall != 2 ||
		fmt.Sprint(s.Degraded, s.Versions) != "[recall] map[settings:abc]" || s.Session == "s" {
		t.Errorf("slate %+v, want that of %+v", s, in)
	}
	want := archive.Placed{
		Item: "a", Rank: 1, Score: .5, Sources: []string{"taste", "last"}, Features: map[string]float64{"x": 1, "y": -.25},
		Propensity: .75, Reasons: []string{"because_watched"},
	}
	if !reflect.DeepEqual(first, want) || second.Item != "b" || second.Rank != 2 || unshown.Item != "c" || unshown.Features["x"] != 0 || len(unshown.Features) != 1 {
		t.Errorf("items %+v, unshown %+v", s.Items, s.Unshown)
	}
}

// TestCrashes breaks the store at every write of a run in turn; after each,
// events are there at most once, and the next run makes it whole.
func TestCrashes(t *testing.T) {
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t, archive.Settings{MaxRows: 5})
			w.append(t, append(views("ann", 6), views("bob", 6)...)...)
			w.blobs.breakAt(n, late)
			_, err := w.RunOnce(t.Context(), home)
			ended := err == nil
			if !ended && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			w.blobs.mend()
			w.open(t, w.store, secret, archive.Settings{MaxRows: 5})
			w.read(t, time.Time{}, time.Time{})
			w.run(t)
			if got := w.read(t, time.Time{}, time.Time{}); len(got) != 12 {
				t.Errorf("broken at write %d (late: %v): %d events at the end, want 12", n, late, len(got))
			}
			if done := w.run(t); done != (archive.Done{}) {
				t.Errorf("a run with nothing to do did %+v", done)
			}
			if ended {
				if n < 8 {
					t.Errorf("only %d writes", n)
				}
				break
			}
		}
	}
}

// TestForgotten lets a viewer be erased while a run lies half done.
func TestForgotten(t *testing.T) {
	w := newWorld(t, archive.Settings{MaxRows: 4})
	w.append(t, append(views("ann", 6), views("bob", 6)...)...)
	ann := upnext.ViewerID{ID: "ann"}
	if err := w.store.Slates.Record(t.Context(), home, upnext.Slate{ID: "1", Viewer: ann, At: noon}); err != nil {
		t.Fatal(err)
	}
	w.blobs.breakAt(5, false) // within the second batch, which has both
	if _, err := w.RunOnce(t.Context(), home); !errors.Is(err, errCrash) {
		t.Fatalf("run: %v, want a crash", err)
	}
	w.blobs.mend()
	if _, err := w.store.Events.Erase(t.Context(), home, ann); err != nil {
		t.Fatal(err)
	}
	if err := w.Forget(t.Context(), home, ann); err != nil {
		t.Fatal(err)
	}
	back := w.append(t, view("ann", 99))[0] // who comes back is archived again
	w.run(t)
	got := w.read(t, time.Time{}, time.Time{})
	if _, ok := got[back.Seq]; !ok || len(got) != 7 {
		t.Errorf("%d events left, want bob's 6 and the one after the erasure: %v", len(got), got)
	}
	for s := range archive.Slates(t.Context(), w.blobs, home, time.Time{}, time.Time{}) {
		if s.ID != "1" { // recorded, and never erased from the database: it is archived after the wish
			t.Errorf("slate %s", s.ID)
		}
	}
	if err := w.Erase(t.Context(), home, ann); err != nil {
		t.Fatal(err)
	}
	if got := w.read(t, time.Time{}, time.Time{}); len(got) != 6 {
		t.Errorf("%d events left at once, want bob's 6", len(got))
	}
	for s := range archive.Slates(t.Context(), w.blobs, home, time.Time{}, time.Time{}) {
		t.Errorf("slate %s is left", s.ID)
	}
	gone, err := w.store.Events.Retract(t.Context(), home, upnext.ViewerID{ID: "bob"}, "bob-2")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Retract(t.Context(), home, gone); err != nil {
		t.Fatal(err)
	}
	if done := w.run(t); done.Dropped != 1 {
		t.Errorf("dropped %+v, want one row", done)
	}
	if got := w.read(t, time.Time{}, time.Time{}); len(got) != 5 {
		t.Errorf("%d events left, want bob's 5", len(got))
	}
}

// TestRefused holds the archive against what would spoil it.
func TestRefused(t *testing.T) {
	w := newWorld(t, archive.Settings{})
	w.append(t, views("ann", 3)...)
	w.run(t)
	for name, store := range map[string]func(){
		"another key":      func() { w.open(t, w.store, []byte("another secret key"), archive.Settings{}) },
		"another database": func() { w.open(t, openStore(t), secret, archive.Settings{}) },
		"no state": func() {
			w.open(t, w.store, secret, archive.Settings{})
			if err := w.blobs.Delete(t.Context(), "default/archive/_state/events.json"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, _, err := w.blobs.Open(t.Context(), "default/archive/_state/events.json", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer before.Close()
			store()
			w.Keep.Latest = 1
			if done, err := w.RunOnce(t.Context(), home); !errors.Is(err, upnext.ErrConflict) || done.Pruned > 0 {
				t.Errorf("run: %+v, %v, want a conflict", done, err)
			}
			if _, err := w.blobs.Put(t.Context(), "default/archive/_state/events.json", before); err != nil {
				t.Fatal(err)
			}
		})
	}
	if held, err := w.store.Events.Since(t.Context(), home, 0, 10); err != nil || len(held) != 3 {
		t.Errorf("%d events in the database, %v, want all 3", len(held), err)
	}
	for _, bad := range []upnext.Tenant{"", "a/b", ".."} {
		if _, err := w.RunOnce(t.Context(), bad); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("tenant %q: %v, want invalid", bad, err)
		}
	}
	if _, err := archive.New(archive.Config{Key: []byte("short")}); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a short key: %v, want invalid", err)
	}
	if _, err := archive.New(archive.Config{Key: secret, Settings: archive.Settings{HashDigits: 9}}); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("nine digits: %v, want invalid", err)
	}
}

// TestDue runs with a clock of its own, a minute further at each round: few
// events wait for their age.
func TestDue(t *testing.T) {
	w := newWorld(t, archive.Settings{Every: time.Millisecond, MinRows: 10, MaxAge: time.Hour})
	w.append(t, views("ann", 9)...)
	ctx, cancel := context.WithCancel(t.Context())
	rounds := make(chan struct{})
	w.Tenants = func() []upnext.Tenant { // called by Run, as the clock is
		select {
		case rounds <- struct{}{}:
		case <-ctx.Done():
		}
		w.now = w.now.Add(time.Minute)
		return []upnext.Tenant{home}
	}
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	for range 59 {
		<-rounds
	}
	if n := len(w.read(t, time.Time{}, time.Time{})); n != 0 {
		t.Errorf("%d events archived within the hour, want them to wait", n)
	}
	for range 4 {
		<-rounds
	}
	if n := len(w.read(t, time.Time{}, time.Time{})); n != 9 {
		t.Errorf("%d events archived after an hour, want 9", n)
	}
	cancel()
	<-ended

	w.now = noon
	w.append(t, views("bob", 10)...)
	ctx, cancel = context.WithCancel(t.Context())
	again := 0
	w.Tenants = func() []upnext.Tenant {
		if again++; again == 2 {
			cancel() // the first round is over
		}
		return []upnext.Tenant{home}
	}
	w.Run(ctx)
	if n := len(w.read(t, time.Time{}, time.Time{})); n != 19 {
		t.Errorf("%d events archived, want 19: ten are a batch at once", n)
	}
}
