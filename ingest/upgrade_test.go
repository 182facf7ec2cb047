package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/index"
	"upnext/index/rabitq"
	"upnext/ingest"
)

// accent is another encoder: the same words lie elsewhere.
type accent struct {
	words
	pause chan struct{} // where not nil, each batch takes one from it
}

func (*accent) Model() embed.Model { return embed.Model{ID: "accent", Dim: embed.TextDim} }

func (a *accent) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	if a.pause != nil && len(inputs) > 1 { // not for queries
		select {
		case <-a.pause:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	said := make([]embed.Input, len(inputs))
	for i, in := range inputs {
		said[i].Text = accented(in.Text)
	}
	return a.words.Embed(ctx, said...)
}

func accented(text string) string {
	all := strings.Fields(strings.ToLower(text))
	for i, s := range all {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s)) // a hash takes everything
		all[i] = fmt.Sprintf("x%08x", h.Sum32())
	}
	return strings.Join(all, " ")
}

// upgrading is a world with encoders that follow.
type upgrading struct {
	*world
	next *accent
	kept embed.Kept
}

func newUpgrading(t *testing.T, path string) *upgrading {
	collections, err := rabitq.Open(filepath.Join(path, "index"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := collections.Close(); err != nil {
			t.Error(err)
		}
	})
	u := &upgrading{world: openWorld(t, path, collections), next: &accent{}}
	u.OnChange = nil
	space, err := embed.NewSpace(u.next.Model(), u.image.Model(), .7)
	if err != nil {
		t.Fatal(err)
	}
	u.Next = &embed.Encoders{Text: u.next, Image: u.image, Space: space}
	u.kept = embed.Kept{{Text: u.Text, Image: u.Image, Space: u.Space}, *u.Next}
	return u
}

// nearest asks one collection by its own encoder.
func (u *upgrading) nearest(t testing.TB, collection, text string) upnext.ItemID {
	t.Helper()
	infos, err := u.Collections.List(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(infos, func(i index.Info) bool { return i.Name == collection })
	if at < 0 {
		return ""
	}
	in, err := u.Collections.Create(t.Context(), tenant, collection, infos[at].Spec)
	if err != nil {
		t.Fatal(err)
	}
	vec, err := u.kept.Query(t.Context(), collection, text)
	if err != nil {
		t.Fatal(err)
	}
	hits, err := in.Search(t.Context(), index.Query{Vectors: [][]float32{vec}, K: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(hits[0]) == 0 || hits[0][0].Score < .6 {
		return ""
	}
	return hits[0][0].ID
}

func (u *upgrading) active(t testing.TB) string {
	t.Helper()
	name, _, err := u.Collections.Active(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func (u *upgrading) progress(t testing.TB, collection string) ingest.Progress {
	t.Helper()
	all, err := u.Progress(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Name == collection {
			return p
		}
	}
	return ingest.Progress{}
}

// run starts an Upgrade; stop ends it and waits.
func (u *upgrading) run(t testing.TB, up *ingest.Upgrade) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- up.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// TestUpgrade goes all the way: another encoder's collection is filled while
// items are written and deleted and both are asked, in two processes' lives;
// it is promoted under running searches; and back.
func TestUpgrade(t *testing.T) {
	path := t.TempDir()
	const items = 300
	title := func(i int) string { return fmt.Sprintf("title t%03d number n%03d", i, i) }
	id := func(i int) upnext.ItemID { return upnext.ItemID(fmt.Sprintf("i%03d", i)) }
	var former, next string
	var texts int64

	t.Run("first life", func(t *testing.T) {
		u := newUpgrading(t, path)
		former, next = u.Space.Name(), u.Next.Space.Name()
		only := u.Next
		u.Next = nil // before anybody thought of an upgrade
		for i := range items {
			put(t, u.world, item(string(id(i)), title(i)))
		}
		u.Next = only
		if got := u.active(t); got != former {
			t.Fatalf("promoted: %s, want %s", got, former)
		}
		u.next.pause = make(chan struct{}, 3)
		for range 3 {
			u.next.pause <- struct{}{}
		}
		stop := u.run(t, &ingest.Upgrade{Pipeline: u.Pipeline, Idle: 10 * time.Millisecond})
		eventually(t, "three batches are in the next collection", func() bool { return u.progress(t, next).Tally.Searchable == 3*64 })
		if err := u.Promote(t.Context(), tenant, next, false); !errors.Is(err, upnext.ErrConflict) || !strings.Contains(err.Error(), "108 of 300") {
			t.Errorf("promote while it fills: %v, want an ErrConflict that counts", err)
		}
		if got := u.nearest(t, next, title(5)); got != id(5) {
			t.Errorf("the next collection finds %q, want %s", got, id(5))
		}
		if got := u.nearest(t, former, title(299)); got != id(299) {
			t.Errorf("the former collection finds %q, want %s", got, id(299))
		}
		stop() // in the middle of a batch
		if texts = u.progress(t, next).Texts; texts != 3*64 {
			t.Errorf("cost so far: %d texts, want %d", texts, 3*64)
		}
	})
	t.Run("second life", func(t *testing.T) {
		u := newUpgrading(t, path)
		// What is written now goes to both; what is deleted goes from both.
		put(t, u.world, item(string(id(7)), "penguin parade"))
		if n, err := u.Delete(t.Context(), tenant, id(8), id(298)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		for _, c := range []string{former, next} {
			if got := u.nearest(t, c, "penguin parade"); got != id(7) {
				t.Errorf("%s finds %q at once, want %s", c, got, id(7))
			}
		}
		stop := u.run(t, &ingest.Upgrade{Pipeline: u.Pipeline, Auto: true, Idle: 10 * time.Millisecond})
		defer stop()
		var asked, failed atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for ctx.Err() == nil {
					name, in, err := u.Collections.Active(ctx, tenant)
					var vec []float32
					if err == nil {
						vec, err = u.kept.Query(context.Background(), name, title(9))
					}
					var hits [][]index.Hit
					if err == nil {
						hits, err = in.Search(context.Background(), index.Query{Vectors: [][]float32{vec}, K: 1})
					}
					if err == nil && (len(hits[0]) == 0 || hits[0][0].ID != id(9)) {
						err = fmt.Errorf("found %v in %s", hits, name)
					}
					if err != nil && ctx.Err() == nil {
						failed.Add(1)
						t.Error(err)
						return
					}
					asked.Add(1)
				}
			})
		}
		eventually(t, "the next collection is promoted", func() bool { return u.active(t) == next })
		before := asked.Load()
		eventually(t, "it is asked", func() bool { return asked.Load() > before+50 })
		p := u.progress(t, next)
		if p.Tally.Items != items-2 || p.Tally.Pending() != 0 || p.Texts != items-1 || p.Full.IsZero() || !p.Promoted || p.Role != "next" || p.Text != "accent" {
			t.Errorf("progress %+v: want %d items, none pending, and %d texts embedded in the background over both lives", p, items-2, items-1)
		}
		for _, i := range []int{8, 298} {
			if got := u.nearest(t, next, title(i)); got == id(i) {
				t.Errorf("the deleted %s is in the next collection", got)
			}
		}
		// Now the former one is the other: it is written to all the same.
		put(t, u.world, item("late", "lighthouse keeper"))
		if err := u.Promote(t.Context(), tenant, former, false); err != nil {
			t.Fatal(err)
		}
		for _, c := range []string{former, next} {
			if got := u.nearest(t, c, "lighthouse keeper"); got != "late" {
				t.Errorf("%s finds %q, want the item that came after the promotion", c, got)
			}
		}
		before = asked.Load()
		eventually(t, "the former is asked", func() bool { return asked.Load() > before+50 })
		if err := u.Sweep(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		if got := u.active(t); got != former {
			t.Errorf("after the way back %s was promoted by itself", got)
		}
		cancel()
		group.Wait()
	})
	t.Run("third life", func(t *testing.T) {
		u := newUpgrading(t, path)
		if err := u.Drop(t.Context(), tenant, next); !errors.Is(err, upnext.ErrConflict) {
			t.Errorf("drop of a collection that is filled: %v, want ErrConflict", err)
		}
		u.Next = nil
		if err := u.Drop(t.Context(), tenant, next); err != nil {
			t.Fatal(err)
		}
		if n, err := u.Indexings.Tally(t.Context(), tenant, next); err != nil || n.Searchable != 0 {
			t.Errorf("marks of a dropped collection: %+v, %v", n, err)
		}
		if err := u.Promote(t.Context(), tenant, next, true); !errors.Is(err, upnext.ErrNotFound) {
			t.Errorf("promote of a dropped collection: %v, want ErrNotFound", err)
		}
	})
}

// TestUpgradeWithoutItsEndpoint: writes do not fail with encoders that nobody
// asks yet, and the upgrade goes on when they are back.
func TestUpgradeWithoutItsEndpoint(t *testing.T) {
	u := newUpgrading(t, t.TempDir())
	u.next.err = fmt.Errorf("no such host: %w", upnext.ErrUnavailable)
	put(t, u.world, item("a", "bread"), item("b", "butter"))
	next := u.Next.Space.Name()
	stop := u.run(t, &ingest.Upgrade{Pipeline: u.Pipeline, Rate: 1000, Idle: 5 * time.Millisecond})
	defer stop()
	eventually(t, "progress says why it waits", func() bool { return strings.Contains(u.progress(t, next).Error, "no such host") })
	hidden := item("a", "bread")
	hidden.Status = upnext.Hidden
	put(t, u.world, hidden)
	u.next.mu.Lock()
	u.next.err = nil
	u.next.mu.Unlock()
	eventually(t, "the next collection is full", func() bool { return u.progress(t, next).Tally.Searchable == 2 })
	if got := u.active(t); got != u.Space.Name() {
		t.Errorf("promoted: %s, though nobody asked for it", got)
	}
	stop()
	// With the next one promoted, its encoders are the ones that a write needs.
	if err := u.Promote(t.Context(), tenant, next, false); err != nil {
		t.Fatal(err)
	}
	if got := search(t, u.world, "status == 'hidden'"); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("hidden items in the next collection: %v, want a", got)
	}
	u.text.err = fmt.Errorf("gone: %w", upnext.ErrUnavailable)
	put(t, u.world, item("c", "cheese"))
	if got := u.nearest(t, next, "cheese"); got != "c" {
		t.Errorf("search finds %q, want c", got)
	}
	u.next.err, u.text.err = u.text.err, nil
	if _, err := u.Put(t.Context(), tenant, item("d", "date")); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("put without the promoted collection's encoder: %v, want ErrUnavailable", err)
	}
}

// TestUpgradeKeepsItsRate: no more items a second than allowed.
func TestUpgradeKeepsItsRate(t *testing.T) {
	u := newUpgrading(t, t.TempDir())
	only := u.Next
	u.Next = nil
	for i := range 20 {
		put(t, u.world, item(fmt.Sprintf("i%d", i), fmt.Sprintf("title %d", i)))
	}
	u.Next = only
	began := time.Now()
	stop := u.run(t, &ingest.Upgrade{Pipeline: u.Pipeline, Rate: 5, Idle: 5 * time.Millisecond})
	defer stop()
	eventually(t, "full", func() bool { return u.progress(t, only.Space.Name()).Tally.Searchable == 20 })
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("20 items at 5 a second took %s", took)
	}
}
