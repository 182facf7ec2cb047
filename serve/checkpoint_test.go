package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"upnext"
)

// memory keeps checkpoints for a test.
type memory struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (m *memory) Save(_ context.Context, t upnext.Tenant, part string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[string(t)+part] = b.Bytes()
	return nil
}

func (m *memory) Open(_ context.Context, t upnext.Tenant, part string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.kept[string(t)+part]
	if !ok {
		return nil, upnext.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (m *memory) Drop(_ context.Context, t upnext.Tenant, part string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, string(t)+part)
	return nil
}

// readEvents counts the events that are read to be counted.
type readEvents struct {
	upnext.Events
	since int
}

func (e *readEvents) Since(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Event, error) {
	events, err := e.Events.Since(ctx, t, after, limit)
	if limit > 1 { // a checkpoint looks at one
		e.since += len(events)
	}
	return events, err
}

// TestCheckpoint: a start after a checkpoint counts what came since and nothing
// else, and says what one says that counts all; a checkpoint that may not hold is
// passed over.
func TestCheckpoint(t *testing.T) {
	kept := &memory{kept: map[string][]byte{}}
	w := newWorld(t, 6, func(c *Config) { c.Checkpoints = kept })
	all := 0
	act := func(n int) {
		for range n {
			w.does(fmt.Sprint("v", all%7), upnext.Event{Kind: upnext.Like, Item: itemOf(topics[all%5], all%6).ID})
			all++
		}
	}
	// start is a new process on the same stores; it says what it would show, and how
	// many events it has read for that.
	start := func(change func(*Config)) (string, int) {
		t.Helper()
		cfg := w.cfg
		events := &readEvents{Events: w.store.Events}
		cfg.Events = events
		if change != nil {
			change(&cfg)
		}
		r := New(cfg)
		s, err := r.Recommend(t.Context(), tenantT, upnext.Request{Count: 12, Unrecorded: true, Explain: ExplainTrace})
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, p := range s.Items {
			out += fmt.Sprintf("%s %.6f %v\n", p.Item, p.Score, p.Sources)
		}
		return out, events.since
	}
	anew := func() string {
		said, read := start(func(c *Config) { c.Checkpoints = nil })
		if read == 0 {
			t.Fatal("without a checkpoint no event is read")
		}
		return said
	}
	check := func(what string, wantRead int, change func(*Config)) {
		t.Helper()
		said, read := start(change)
		if want := anew(); change == nil && said != want {
			t.Errorf("%s: it says\n%swant\n%s", what, said, want)
		}
		if read != wantRead {
			t.Errorf("%s: %d events are read, want %d", what, read, wantRead)
		}
	}
	save := func() {
		t.Helper()
		w.refresh()
		if err := w.rec.save(t.Context(), w.rec.tenant(tenantT)); err != nil {
			t.Fatal(err)
		}
	}
	act(60)
	check("none yet", all, nil)
	save()
	check("nothing since", 0, nil)
	act(5)
	check("five since", 5, nil)

	if w.rec.save(t.Context(), w.rec.tenant(tenantT)); len(kept.kept) != 2 {
		t.Fatal("no checkpoint")
	}
	check("other settings", all, func(c *Config) { c.Settings.Crowd.Recent = 3 })
	check("another file", all, func(c *Config) {
		c.Checkpoints = &memory{kept: map[string][]byte{string(tenantT) + countsPart: []byte("{}\nrubbish")}}
	})
	damaged := bytes.Clone(kept.kept[string(tenantT)+countsPart])
	damaged[len(damaged)/2] ^= 1
	check("a damaged one", all, func(c *Config) {
		c.Checkpoints = &memory{kept: map[string][]byte{string(tenantT) + countsPart: damaged}}
	})
	check("one that cannot be read", all, func(c *Config) { c.Checkpoints = brokenCheckpoints{} })

	// What this process takes back it knows; what another does, the next start.
	save()
	first := upnext.EventID("")
	for _, e := range must(w.store.Events.Since(t.Context(), tenantT, 0, 1)) {
		first = e.ID
	}
	if err := w.rec.Retract(t.Context(), tenantT, upnext.ViewerID{}, first); err != nil {
		t.Fatal(err)
	}
	all--
	check("after a retraction", all, nil)
	save()
	check("after a retraction and a checkpoint", 0, nil)
	other := New(w.cfg)
	if _, err := other.Erase(t.Context(), tenantT, user("v3")); err != nil {
		t.Fatal(err)
	}
	if len(kept.kept[string(tenantT)+countsPart]) != 0 {
		t.Error("the checkpoint outlives an erasure")
	}
	act(1)
	save()
	if len(kept.kept[string(tenantT)+countsPart]) != 0 {
		t.Error("a process saves counts that know nothing of what another has taken back")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// brokenCheckpoints cannot be read.
type brokenCheckpoints struct{}

func (brokenCheckpoints) Save(context.Context, upnext.Tenant, string, func(io.Writer) error) error {
	return errors.New("broken")
}
func (brokenCheckpoints) Open(context.Context, upnext.Tenant, string) (io.ReadCloser, error) {
	return nil, errors.New("broken")
}
func (brokenCheckpoints) Drop(context.Context, upnext.Tenant, string) error {
	return errors.New("broken")
}

// TestCheckpointAtEnd: a process that ends leaves one, and goes on from it.
func TestCheckpointAtEnd(t *testing.T) {
	kept := &memory{kept: map[string][]byte{}}
	w := newWorld(t, 3, func(c *Config) { c.Checkpoints = kept })
	w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("space", 1).ID})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.rec.Run(ctx) }()
	<-w.rec.Loaded()
	w.refresh()
	time.Sleep(10 * time.Millisecond) // Run may still be starting what it runs
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if len(kept.kept[string(tenantT)+countsPart]) == 0 {
		t.Error("nothing is kept")
	}
}

// readCatalog counts the records that are read of it.
type readCatalog struct {
	upnext.Catalog
	read int
}

func (c *readCatalog) Changes(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Record, error) {
	records, err := c.Catalog.Changes(ctx, t, after, limit)
	c.read += len(records)
	return records, err
}

// TestCheckpointItems: a start reads of the catalogue what has changed since the
// checkpoint, and shows what one shows that reads all; another catalogue's is passed
// over.
func TestCheckpointItems(t *testing.T) {
	kept := &memory{kept: map[string][]byte{}}
	w := newWorld(t, 6, func(c *Config) { c.Checkpoints, c.Settings.Explore.Share = kept, 0 }) // what is drawn by chance goes by the numbers that items have
	start := func(cfg Config) (string, int) {
		t.Helper()
		catalog := &readCatalog{Catalog: cfg.Catalog}
		cfg.Catalog = catalog
		r := New(cfg)
		out := ""
		for _, req := range []upnext.Request{{Count: 12, Unrecorded: true}, {Query: "space number 3", Count: 5, Unrecorded: true}} {
			s, err := r.Recommend(t.Context(), tenantT, req)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range s.Items {
				out += fmt.Sprintf("%s %.6f %v\n", p.Item, p.Score, p.Sources)
			}
		}
		return out, catalog.read
	}
	check := func(what string, cfg Config, wantRead int) {
		t.Helper()
		said, read := start(cfg)
		cfg.Checkpoints = nil
		if want, _ := start(cfg); said != want {
			t.Errorf("%s: it says\n%swant\n%s", what, said, want)
		}
		if read != wantRead {
			t.Errorf("%s: %d records are read, want %d", what, read, wantRead)
		}
	}
	all := 6 * len(topics)
	check("none yet", w.cfg, all)
	w.refresh()
	if err := w.rec.save(t.Context(), w.rec.tenant(tenantT)); err != nil {
		t.Fatal(err)
	}
	check("nothing since", w.cfg, 0)
	changed := itemOf("space", 3)
	changed.Title = "Another space film, number 3"
	w.put(changed)
	if _, err := w.store.Catalog.Delete(t.Context(), tenantT, itemOf("chess", 0).ID); err != nil {
		t.Fatal(err)
	}
	check("one changed and one deleted", w.cfg, 2)

	// The same ids under the same numbers, at another time.
	elsewhere := newWorld(t, 6, func(c *Config) { c.Checkpoints, c.Settings.Explore.Share = kept, 0 })
	check("another catalogue", elsewhere.cfg, all)
	damaged := bytes.Clone(kept.kept[string(tenantT)+itemsPart])
	damaged[len(damaged)/2] ^= 1
	cfg := w.cfg
	cfg.Checkpoints = &memory{kept: map[string][]byte{string(tenantT) + itemsPart: damaged}}
	check("a damaged one", cfg, all) // the one deleted has left a tombstone
}
