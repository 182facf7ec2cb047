package serve

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/index"
	"upnext/index/flat"
	"upnext/infra/sqlstore"
	"upnext/serve/vec"
)

const tenantT = upnext.DefaultTenant

// noon is when tests happen.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var topics = []string{"cooking", "space", "travel", "music", "football", "history", "gardening", "chess"}

// dim is the length of the tests' vectors: a component a topic, the rest is
// what sets items of a topic apart.
const dim = 32

// topicQuery puts a text where the topics that it names are.
func topicQuery(_ context.Context, _, text string) ([]float32, error) {
	return vectorOf(text, strings.Fields(strings.ToLower(text))...), nil
}

// vectorOf is near the topics named, and a little apart by its seed.
func vectorOf(seed string, named ...string) []float32 {
	h := fnv.New64a()
	h.Write([]byte(seed))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	v := make([]float32, dim)
	for i := len(topics); i < dim; i++ {
		v[i] = float32(rng.NormFloat64()) * 0.2
	}
	for i, topic := range topics {
		for _, name := range named {
			if name == topic {
				v[i] = 1
			}
		}
	}
	return vec.Unit(v)
}

// world is a Recommender over SQLite and flat, with a clock that tests move.
type world struct {
	t     testing.TB
	rec   *Recommender
	store *sqlstore.Store
	index index.Index
	cfg   Config
	now   time.Time
	n     int // of events so far
	per   int // items of each topic at first
}

// newWorld has per items of each topic, by three creators a topic. change may
// alter what is the default.
func newWorld(t testing.TB, per int, change func(*Config)) *world {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	collections := flat.New()
	w := &world{t: t, store: store, now: noon, per: per}
	spec := index.Spec{Dim: dim, Fields: map[string]upnext.AttributeType{"kind": upnext.String, "topics": upnext.Strings}}
	if w.index, err = collections.Create(t.Context(), tenantT, "topics", spec); err != nil {
		t.Fatal(err)
	}
	if err := collections.Promote(t.Context(), tenantT, "topics"); err != nil {
		t.Fatal(err)
	}
	w.cfg = Config{
		Catalog: store.Catalog, Events: store.Events, Viewers: store.Viewers, Merges: store.Merges, Beats: store.Beats, Slates: store.Slates, Cursors: store.Cursors, Replies: store.Replies, Schemas: store.Schemas,
		Measures: store.Measures(), Showings: store.Slates, Locks: store.Locks, Withdrawals: store.Events,
		Collections: collections, Query: topicQuery, Now: func() time.Time { return w.now }, Seed: 7,
		TokenKey: bytes.Repeat([]byte("k"), 32), Settings: DefaultSettings(),
	}
	// What is tested is what is answered, on however busy a machine: only tests of
	// deadlines have any to speak of.
	w.cfg.Settings.Deadline, w.cfg.Settings.SourceDeadline, w.cfg.Settings.Deadlines = time.Minute, 30*time.Second, nil
	if change != nil {
		change(&w.cfg)
	}
	w.rec = New(w.cfg)
	var items []upnext.Item
	for i := range per {
		for _, topic := range topics {
			items = append(items, itemOf(topic, i))
		}
	}
	w.put(items...)
	return w
}

func itemOf(topic string, i int) upnext.Item {
	return upnext.Item{
		ID: upnext.ItemID(fmt.Sprintf("%s-%03d", topic, i)), Kind: "video", Title: fmt.Sprintf("A %s film, number %d", topic, i),
		Tags: []string{topic}, Language: []string{"en", "zh"}[i%2], CreatorID: fmt.Sprintf("c-%s-%d", topic, i%5),
		CreatorName: fmt.Sprintf("The %s maker %d", topic, i%5), Duration: 5 * time.Minute, PublishedAt: noon.Add(-time.Duration(i+1) * 24 * time.Hour),
	}
}

// put takes items to the catalogue, the index and the shelf.
func (w *world) put(items ...upnext.Item) {
	w.t.Helper()
	records, entries := make([]upnext.Record, len(items)), make([]index.Entry, len(items))
	for i, it := range items {
		records[i] = upnext.Record{Item: it, Hash: it.Title}
		entries[i] = index.Entry{ID: it.ID, Vector: vectorOf(string(it.ID), it.Tags...), Fields: records[i].Fields()}
	}
	if _, err := w.cfg.Catalog.Put(w.t.Context(), tenantT, records...); err != nil {
		w.t.Fatal(err)
	}
	if err := w.index.Upsert(w.t.Context(), entries...); err != nil {
		w.t.Fatal(err)
	}
	w.refresh()
}

func (w *world) refresh() {
	w.t.Helper()
	if err := w.rec.Refresh(w.t.Context(), tenantT); err != nil {
		w.t.Fatal(err)
	}
}

func user(id string) upnext.ViewerID { return upnext.ViewerID{ID: id} }

// does sends an event, a second after the last one, and returns its id.
func (w *world) does(viewer string, e upnext.Event) upnext.EventID {
	w.t.Helper()
	w.n++
	w.now = w.now.Add(time.Second)
	e.Viewer, e.At = user(viewer), w.now
	if e.ID == "" {
		e.ID = upnext.EventID(fmt.Sprintf("e%d", w.n))
	}
	if _, err := w.rec.Feedback(w.t.Context(), tenantT, e); err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// asks returns the answer to a request.
func (w *world) asks(req upnext.Request) upnext.Slate {
	w.t.Helper()
	s, err := w.rec.Recommend(w.t.Context(), tenantT, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// page returns a viewer's first page.
func (w *world) page(viewer string) upnext.Slate {
	w.t.Helper()
	return w.asks(upnext.Request{Viewer: user(viewer)})
}

func ids(s upnext.Slate) []upnext.ItemID {
	list := make([]upnext.ItemID, len(s.Items))
	for i, p := range s.Items {
		list[i] = p.Item
	}
	return list
}

func find(s upnext.Slate, id upnext.ItemID) (upnext.Placed, bool) {
	for _, p := range s.Items {
		if p.Item == id {
			return p, true
		}
	}
	return upnext.Placed{}, false
}

// about counts the items of a topic.
func about(s upnext.Slate, topic string) int {
	n := 0
	for _, p := range s.Items {
		if strings.HasPrefix(string(p.Item), topic+"-") {
			n++
		}
	}
	return n
}
