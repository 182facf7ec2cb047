package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/index"
	"upnext/index/rabitq"
)

// soakSource is a catalogue that the long runs import; without it the demo's.
func soakSource(t *testing.T) string {
	if source := os.Getenv("UPNEXT_SOAK_SOURCE"); source != "" {
		return source
	}
	return writeCatalogue(t)
}

// TestRealEngines does the main job on PostgreSQL, MinIO and each Milvus: a
// catalogue in a bucket is imported, an event changes the next page, and a
// killed server goes on where it was. UPNEXT_SOAK_SOURCE makes it a long run
// over a folder of this machine.
func TestRealEngines(t *testing.T) {
	for name, variable := range map[string]string{"milvus": "UPNEXT_TEST_MILVUS", "milvus-lite": "UPNEXT_TEST_MILVUS_LITE"} {
		t.Run(name, func(t *testing.T) { mainJob(t, newPlatform(t, variable)) })
	}
}

func mainJob(t *testing.T, p *platform) {
	args := append([]string{"serve"}, p.args()...)
	server := spawn(t, args...)
	server.waitReady()
	source := os.Getenv("UPNEXT_SOAK_SOURCE")
	if source == "" {
		p.upload(writeCatalogue(t), "catalogue/")
		source = "s3://" + p.source + "/catalogue/"
	}
	imp := server.importAll(source)
	t.Logf("%s: %d items, %d events in %s", imp.State, imp.Total, imp.Events, imp.EndedAt.Sub(imp.StartedAt).Round(time.Millisecond))
	for _, s := range imp.Stages {
		t.Logf("  %s: %d, busy %d ms", s.Name, s.Done, s.BusyMS)
	}
	if imp.State != "succeeded" || imp.Failed != 0 || imp.Created != imp.Total || imp.Total == 0 {
		t.Fatalf("import: %+v, want all created", imp)
	}
	before := server.page("nobody")
	if len(before.Items) != 20 {
		t.Fatalf("a page of %d items, want 20", len(before.Items))
	}
	liked := before.Items[0].ID
	at := time.Now()
	server.event("e1", "nobody", "like", `,"item_id":"`+liked+`"`)
	after := server.page("nobody")
	t.Logf("event and changed page: %s", time.Since(at).Round(time.Millisecond))
	if slices.Contains(after.ids(), liked) || fmt.Sprint(after.ids()) == fmt.Sprint(before.ids()) {
		t.Errorf("the page does not change with a like of %s: %v", liked, after.ids())
	}
	server.kill()
	again := spawn(t, args...)
	again.waitReady()
	if got := again.page("nobody").ids(); slices.Contains(got, liked) {
		t.Errorf("after kill -9 the like of %s is forgotten: %v", liked, got)
	}
	again.kill()
	compareIndexes(t, p)
}

// compareIndexes searches for some items' neighbours in the real engine and in
// the embedded one, filled with the same vectors.
func compareIndexes(t *testing.T, p *platform) {
	e, err := open(t.Context(), p.settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	name, real, err := e.indexes.Active(t.Context(), upnext.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	var ids []upnext.ItemID
	for id, err := range real.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var entries []index.Entry
	for part := range slices.Chunk(ids, 500) {
		vectors, err := real.Vectors(t.Context(), part...)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range part {
			entries = append(entries, index.Entry{ID: id, Vector: vectors[i]})
		}
	}
	embedded, err := rabitq.Open(t.TempDir(), e.logger)
	if err != nil {
		t.Fatal(err)
	}
	defer embedded.Close()
	ours, err := embedded.Create(t.Context(), upnext.DefaultTenant, name, index.Spec{Dim: e.space.Dim()})
	if err == nil {
		err = ours.Upsert(t.Context(), entries...)
	}
	if err != nil {
		t.Fatal(err)
	}
	const k, asked = 20, 200
	var shared, all int
	for i := 0; i < len(entries); i += max(1, len(entries)/asked) {
		q := index.Query{Vectors: [][]float32{entries[i].Vector}, K: k}
		got, err := real.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ours.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range want[0] {
			all++
			if slices.ContainsFunc(got[0], func(g index.Hit) bool { return g.ID == h.ID }) {
				shared++
			}
		}
	}
	overlap := float64(shared) / float64(all)
	t.Logf("top-20 overlap with the embedded index over %d entries: %.4f", len(entries), overlap)
	if overlap < .95 {
		t.Errorf("top-20 overlap %.4f, want .95", overlap)
	}
}

// TestReplicas lets two servers share the engines: an event that one takes is
// felt by the other, and what a killed one had acknowledged is kept.
func TestReplicas(t *testing.T) {
	p := newPlatform(t, "UPNEXT_TEST_MILVUS")
	p.upload(writeCatalogue(t), "catalogue/")
	a := spawn(t, append([]string{"serve"}, p.args()...)...)
	b := spawn(t, append([]string{"serve"}, p.args()...)...)
	a.waitReady()
	b.waitReady()
	if imp := a.importAll("s3://" + p.source + "/catalogue/"); imp.State != "succeeded" {
		t.Fatalf("import: %+v", imp)
	}
	rounds := 40
	if os.Getenv("UPNEXT_SOAK_KILLS") != "" {
		rounds = 400
	}
	var took []time.Duration
	for i := range rounds {
		user := fmt.Sprint("reader-", i)
		liked := eventually(t, "the catalogue is on b's page", func() string {
			if ids := b.page(user).ids(); len(ids) == 20 { // b holds the viewer now
				return ids[0]
			}
			return ""
		})
		at := time.Now()
		a.event(fmt.Sprint("e", i), user, "like", `,"item_id":"`+liked+`"`)
		eventually(t, "b knows of the like", func() string {
			if slices.Contains(b.page(user).ids(), liked) {
				return ""
			}
			return "yes"
		})
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	t.Logf("event at one server, changed answer at the other, %d times: p50 %s, p99 %s", rounds,
		took[rounds/2].Round(time.Millisecond), took[rounds*99/100].Round(time.Millisecond))
	killUnderLoad(t, p, a, b)
}

// eventually asks until the answer is not empty.
func eventually(t testing.TB, what string, ask func() string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if answer := ask(); answer != "" {
			return answer
		}
	}
	t.Fatalf("not within 30 s: %s", what)
	return ""
}

// killUnderLoad kills one of two servers while both take events: each event
// that was acknowledged is in the database, once.
func killUnderLoad(t *testing.T, p *platform, a, b *process) {
	var mu sync.Mutex
	acknowledged := map[upnext.EventID]bool{}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 8 {
		to := []*process{a, b}[w%2]
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("load-%d-%d", w, n)
				_, err := to.call(http.MethodPost, "/v1/events", fmt.Sprintf(`{"id":%q,"user_id":"u%d","kind":"search","query":"x","at":%q}`, id, w, time.Now().UTC().Format(time.RFC3339Nano)))
				if err != nil {
					if to == b {
						t.Errorf("the server that lives: %v", err)
					}
					return
				}
				mu.Lock()
				acknowledged[upnext.EventID(id)] = true
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(1000+rand.IntN(500)) * time.Millisecond)
	a.kill()
	time.Sleep(time.Second)
	close(stop)
	writers.Wait()
	b.kill()
	e, err := open(t.Context(), p.settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	lost := lostEvents(t, e, acknowledged)
	t.Logf("one of two servers killed under load: %d events acknowledged, %d lost", len(acknowledged), lost)
	if len(acknowledged) < 100 {
		t.Errorf("%d events acknowledged, too few to show anything", len(acknowledged))
	}
}

// lostEvents counts the acknowledged events that are not in the database once.
func lostEvents(t *testing.T, e *engines, acknowledged map[upnext.EventID]bool) (lost int) {
	kept := map[upnext.EventID]int{}
	for after := int64(0); ; {
		events, err := e.store.Events.Since(t.Context(), upnext.DefaultTenant, after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, ev := range events {
			after = ev.Seq
			kept[ev.ID]++
		}
	}
	for id := range acknowledged {
		if kept[id] != 1 {
			lost++
			t.Errorf("event %s was acknowledged and is there %d times", id, kept[id])
		}
	}
	return lost
}

// TestKilledImportOnRealEngines is TestKilledImport on the real engines.
func TestKilledImportOnRealEngines(t *testing.T) {
	p := newPlatform(t, "UPNEXT_TEST_MILVUS")
	killedImport(t, p.settings())
}
