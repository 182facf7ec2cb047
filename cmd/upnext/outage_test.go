package main

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext"
)

// TestOutage kills each real engine in the middle of imports and requests and
// starts it again: what callers see is logged, what was acknowledged is there in
// the end. It takes the engines from every other test that runs, so it runs only
// where UPNEXT_SOAK_OUTAGE asks for it.
func TestOutage(t *testing.T) {
	engines := os.Getenv("UPNEXT_TEST_ENGINES")
	if os.Getenv("UPNEXT_SOAK_OUTAGE") == "" || engines == "" {
		t.Skip("kills the engines: see task soak:outage")
	}
	p := newPlatform(t, "UPNEXT_TEST_MILVUS")
	server := spawn(t, append([]string{"serve"}, p.args()...)...)
	server.waitReady()
	callers := startCallers(t, server)
	total := 0
	for _, name := range []string{"minio", "milvus", "postgres"} {
		p.upload(writeManifest(t, name, 600), name+"/")
		var imp remoteImport
		server.post("/v1/imports", fmt.Sprintf(`{"source":"s3://%s/%s/items.ndjson"}`, p.source, name), &imp)
		time.Sleep(500 * time.Millisecond)
		callers.take() // what was seen before
		command := func(args ...string) {
			if out, err := exec.CommandContext(t.Context(), engines, args...).CombinedOutput(); err != nil {
				t.Fatalf("engines %v: %v\n%s", args, err, out)
			}
		}
		command("kill", name)
		time.Sleep(5 * time.Second)
		t.Logf("%s away for 5 s: %s", name, callers.take())
		command("start", "--keep", name)
		back := time.Now()
		callers.await(t)
		t.Logf("%s is back: every call succeeds after %s; meanwhile %s", name, time.Since(back).Round(10*time.Millisecond), callers.take())
		for deadline := time.Now().Add(3 * time.Minute); imp.State == "queued" || imp.State == "running"; time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the import over %s's outage has not ended: %+v", name, imp)
			}
			server.get("/v1/imports/"+imp.ID, &imp)
		}
		t.Logf("the import over %s's outage: %s, %d of %d created, %d failed", name, imp.State, imp.Created, imp.Total, imp.Failed)
		// What a batch had written before the kill is unchanged when it is repeated.
		if imp.State != "succeeded" || imp.Created+imp.Unchanged != 600 || imp.Failed != 0 {
			t.Errorf("import: %+v, want 600 created, or unchanged by a repeated batch", imp)
		}
		total += 600
	}
	acknowledged := callers.stop()
	server.kill()
	checkKept(t, p, acknowledged, total)
}

// writeManifest writes n items of words alone.
func writeManifest(t *testing.T, name string, n int) string {
	t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"id":"%s-%d","kind":"video","title":"Number %d of the films about %s","tags":["%s","t%d"]}`+"\n", name, i, i, name, name, i%7)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "items.ndjson"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// callers post events, ask for pages and put items, one after the other each.
type callers struct {
	quit    chan struct{}
	working sync.WaitGroup

	mu           sync.Mutex
	seen         map[string]int // "events 202" and so on
	last         map[string]bool
	acknowledged map[upnext.EventID]bool
	items        map[upnext.ItemID]bool
}

var statusOf = regexp.MustCompile(`: (\d{3}) `)

func startCallers(t *testing.T, server *process) *callers {
	c := &callers{quit: make(chan struct{}), seen: map[string]int{}, last: map[string]bool{}, acknowledged: map[upnext.EventID]bool{}, items: map[upnext.ItemID]bool{}}
	c.run("events", func(n int) (string, error) {
		id := fmt.Sprint("out-", n)
		_, err := server.call(http.MethodPost, "/v1/events", fmt.Sprintf(`{"id":%q,"user_id":"u%d","kind":"search","query":"x","at":%q}`, id, n%50, time.Now().UTC().Format(time.RFC3339Nano)))
		return id, err
	}, func(id string) { c.acknowledged[upnext.EventID(id)] = true })
	c.run("recommend", func(n int) (string, error) {
		body, err := server.call(http.MethodPost, "/v1/recommend", fmt.Sprintf(`{"user_id":"u%d","count":5}`, n%50))
		if err == nil && strings.Contains(string(body), `"stage"`) {
			return "degraded", nil
		}
		return "", err
	}, func(string) {})
	c.run("items", func(n int) (string, error) {
		id := fmt.Sprint("put-", n%40)
		_, err := server.call(http.MethodPut, "/v1/items/"+id, fmt.Sprintf(`{"kind":"video","title":"The %d-th of a few that are put again and again"}`, n))
		return id, err
	}, func(id string) { c.items[upnext.ItemID(id)] = true })
	t.Cleanup(func() { c.stop() })
	return c
}

// run calls until stop and counts what came of it.
func (c *callers) run(name string, call func(n int) (string, error), ok func(string)) {
	c.working.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-c.quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
			what, err := call(n)
			outcome := "ok"
			if what == "degraded" {
				outcome = what
			}
			if err != nil {
				outcome = "no answer"
				if m := statusOf.FindStringSubmatch(err.Error()); m != nil {
					outcome = m[1]
				}
			}
			c.mu.Lock()
			c.seen[name+" "+outcome]++
			c.last[name] = err == nil
			if err == nil {
				ok(what)
			}
			c.mu.Unlock()
		}
	})
}

// take says what was seen since the last time.
func (c *callers) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, what := range slices.Sorted(maps.Keys(c.seen)) {
		all = append(all, fmt.Sprintf("%s × %d", what, c.seen[what]))
	}
	clear(c.seen)
	return strings.Join(all, ", ")
}

// await returns once the latest call of each kind has succeeded.
func (c *callers) await(t *testing.T) {
	eventually(t, "every call succeeds again", func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, ok := range c.last {
			if !ok {
				return ""
			}
		}
		return "yes"
	})
}

// stop returns what was acknowledged.
func (c *callers) stop() *callers {
	select {
	case <-c.quit:
	default:
		close(c.quit)
	}
	c.working.Wait()
	return c
}

// checkKept looks for everything that was acknowledged.
func checkKept(t *testing.T, p *platform, said *callers, imported int) {
	e, err := open(t.Context(), p.settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	lost := lostEvents(t, e, said.acknowledged)
	_, active, err := e.indexes.Active(t.Context(), upnext.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	found := map[upnext.ItemID]bool{}
	for id, err := range active.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found[id] = true
	}
	records, err := e.store.Catalog.List(t.Context(), upnext.DefaultTenant, "", "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	unsearchable := 0
	for _, r := range records {
		if !found[r.Item.ID] {
			unsearchable++
			t.Errorf("%s is in the catalogue and not in the index", r.Item.ID)
		}
		delete(said.items, r.Item.ID)
	}
	t.Logf("%d events acknowledged, %d lost; %d items in the catalogue, %d put and lost, %d not in the index",
		len(said.acknowledged), lost, len(records), len(said.items), unsearchable)
	if len(said.items) > 0 || len(records) < imported {
		t.Errorf("lost: %v; %d in the catalogue, want %d imported and those put", said.items, len(records), imported)
	}
}
