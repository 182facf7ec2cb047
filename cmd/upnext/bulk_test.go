package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"upnext"
)

// upnextRun runs a command line and returns what it printed.
func upnextRun(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	err = run(t.Context(), args, &out, &log)
	return out.String(), log.String(), err
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const fewItems = `{"id":"i1","kind":"video","title":"Bread without a tin","tags":["baking"]}
{"id":"i2","kind":"video","title":"Bread with a tin","tags":["baking"]}
{"id":"i3","kind":"short","title":"Comet over the pier","tags":["space"]}
`

// TestBatchCutOff kills a run in thought: half a line at the end of its file
// is cut off, and the file becomes what an undisturbed run would have written.
func TestBatchCutOff(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if _, _, err := upnextRun(t, "ingest", writeFile(t, in("items.ndjson"), fewItems), "--data-dir", in("data")); err != nil {
		t.Fatal(err)
	}
	var users strings.Builder
	for i := range 50 {
		fmt.Fprintf(&users, "user %d\n", i)
	}
	args := []string{"batch", "--users", writeFile(t, in("users"), users.String()), "--data-dir", in("data"), "--clock", "2026-11-24T12:00:00Z"}
	if _, _, err := upnextRun(t, append(args, "--out", in("whole"))...); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(in("whole"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		name := writeFile(t, in(fmt.Sprint("cut", cut)), string(whole[:cut]))
		if _, _, err := upnextRun(t, append(args, "--out", name, "--resume")...); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if answers(t, got) != answers(t, whole) {
			t.Errorf("cut at byte %d of %d: the file differs from that of an undisturbed run", cut, len(whole))
		}
	}
}

// answers are a batch's lines without what every run has of its own.
func answers(t *testing.T, raw []byte) string {
	t.Helper()
	var all strings.Builder
	for n, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var a struct {
			Line  int
			User  string `json:"user_id"`
			Items []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Line != n+1 {
			t.Fatalf("line %d: %q, %v", n+1, line, err)
		}
		fmt.Fprintln(&all, a)
	}
	return all.String()
}

// TestBulkBesideServer exports and recommends while a server has the data
// directory open, and after it has gone: the answers are the same.
func TestBulkBesideServer(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	data := []string{"--data-dir", in("data"), "--listen", "127.0.0.1:0", "--secret-keys", "a-secret-of-sixteen@acme,another-of-sixteen"}
	if _, _, err := upnextRun(t, append(data, "ingest", writeFile(t, in("items.ndjson"), fewItems))...); err != nil {
		t.Fatal(err)
	}
	users := writeFile(t, in("users"), "u1\nu2\n")
	ask := func(after string, secret ...string) (exported, answered string) {
		t.Helper()
		exported, _, err := upnextRun(t, append(data, "export", "items", "--tenant", "default")...)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := upnextRun(t, append(data, "batch", "--users", users, "--out", in("out"+after), "--tenant", "default")...); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(in("out" + after))
		if err != nil {
			t.Fatal(err)
		}
		return exported, answers(t, raw)
	}
	alone, alike := ask("1")
	if alone != fewItems {
		t.Errorf("exported %q, want %q", alone, fewItems)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- run(ctx, append(data, "serve"), os.Stderr, os.Stderr) }()
	for !fileExists(in("data/server.url")) {
		select {
		case err := <-served:
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	beside, alsoAlike := ask("2")
	if beside != alone || alsoAlike != alike {
		t.Errorf("beside the server %q and %q, want %q and %q", beside, alsoAlike, alone, alike)
	}
	if other, _, err := upnextRun(t, append(data, "export", "items", "--tenant", "acme")...); err != nil || other != "" {
		t.Errorf("another tenant's items: %q, %v, want none", other, err)
	}
	if _, _, err := upnextRun(t, append(data, "export", "items", "--tenant", "nobody")...); err == nil {
		t.Error("a tenant without a key: no error")
	}
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}

// TestHistoryIsTasteNotTrend imports events of years ago and of now: both
// count for taste, and only the new ones trend.
func TestHistoryIsTasteNotTrend(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var items, past strings.Builder
	now := time.Now().UTC()
	for i := range 40 {
		fmt.Fprintf(&items, `{"id":"old%d","kind":"video","title":"Sourdough bread baking %d"}`+"\n", i, i)
		fmt.Fprintf(&items, `{"id":"new%d","kind":"video","title":"Comets and telescopes %d"}`+"\n", i, i)
	}
	for i := range 200 {
		fmt.Fprintf(&past, `{"kind":"complete","at":%q,"user_id":"u%d","item_id":"old%d","watch":{"watched_ms":60000,"duration_ms":60000}}`+"\n",
			now.AddDate(-3, 0, -i%300).Format(time.RFC3339), i%40, i%10)
	}
	for i := range 20 {
		fmt.Fprintf(&past, `{"kind":"complete","at":%q,"user_id":"w%d","item_id":"new%d","watch":{"watched_ms":60000,"duration_ms":60000}}`+"\n",
			now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339), i, i%2)
	}
	for _, args := range [][]string{{writeFile(t, in("items.ndjson"), items.String())}, {writeFile(t, in("past.ndjson"), past.String()), "--format", "events"}} {
		if _, _, err := upnextRun(t, append([]string{"ingest", "--data-dir", in("data")}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	users := writeFile(t, in("users"), `{"user_id":"nobody yet","count":80}`+"\n"+`{"user_id":"u1","count":30}`+"\n")
	if _, _, err := upnextRun(t, "batch", "--users", users, "--out", in("out"), "--data-dir", in("data")); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(in("out"))
	if err != nil {
		t.Fatal(err)
	}
	trending, taste := map[string]bool{}, 0
	for n, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var a struct {
			Items []struct {
				ID      string
				Sources []string
			}
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		for _, it := range a.Items {
			for _, s := range it.Sources {
				if s == "trending" {
					trending[it.ID] = true
				}
				if s == "taste" && n == 1 && strings.HasPrefix(it.ID, "old") {
					taste++
				}
			}
		}
	}
	if !trending["new0"] || !trending["new1"] || len(trending) != 2 {
		t.Errorf("trending: %v, want new0 and new1, and nothing of three years ago", trending)
	}
	if taste == 0 {
		t.Error("the taste of three years ago recommends nothing to who had it")
	}
}

// gorseItem, gorseUser and gorseFeedback make messages of Gorse's documented
// schema, for a dump that is made here.
func gorseItem(id, title string) []byte {
	var at, m []byte
	at = protowire.AppendTag(at, 1, protowire.VarintType)
	at = protowire.AppendVarint(at, 1577934245)
	for _, f := range []struct {
		n protowire.Number
		v []byte
	}{{2, []byte(id)}, {4, []byte("rock")}, {4, []byte("pop")}, {5, at}, {6, []byte(`{"year":1999}`)}, {7, []byte(title)}} {
		m = protowire.AppendTag(m, f.n, protowire.BytesType)
		m = protowire.AppendBytes(m, f.v)
	}
	m = protowire.AppendTag(m, 3, protowire.VarintType)
	return protowire.AppendVarint(m, 1)
}

func gorseFeedback(kind, user, item string, value float64) []byte {
	var at, m []byte
	at = protowire.AppendTag(at, 1, protowire.VarintType)
	at = protowire.AppendVarint(at, 1577934245)
	for _, f := range []struct {
		n protowire.Number
		v []byte
	}{{2, []byte(kind)}, {3, []byte(user)}, {4, []byte(item)}, {6, at}} {
		m = protowire.AppendTag(m, f.n, protowire.BytesType)
		m = protowire.AppendBytes(m, f.v)
	}
	m = protowire.AppendTag(m, 5, protowire.Fixed64Type)
	return protowire.AppendFixed64(m, math.Float64bits(value))
}

func TestImportGorseDump(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var dump bytes.Buffer
	number := func(n int64) {
		if err := binary.Write(&dump, binary.LittleEndian, n); err != nil {
			t.Fatal(err)
		}
	}
	add := func(m []byte) { number(int64(len(m))); dump.Write(m) }
	number(-1)
	number(-2)
	add(gorseItem("s1", "First song"))
	number(-3)
	add(gorseFeedback("rate", "bob", "s1", 5))
	add(gorseFeedback("read", "bob", "s1", 0))
	number(0)
	if _, _, err := upnextRun(t, "import", "gorse", writeFile(t, in("dump"), dump.String()), "--data-dir", in("data"), "--kind", "music"); err != nil {
		t.Fatal(err)
	}
	items, _, err := upnextRun(t, "export", "items", "--data-dir", in("data"))
	want := `{"id":"s1","kind":"music","title":"First song","tags":["rock","pop"],"published_at":"2020-01-02T03:04:05Z","status":"hidden","attributes":{"year":1999}}` + "\n"
	if err != nil || items != want {
		t.Errorf("items %q, %v, want %q", items, err, want)
	}
	events, _, err := upnextRun(t, "export", "events", "--data-dir", in("data"))
	if err != nil || !strings.Contains(events, `"kind":"rate","at":"2020-01-02T03:04:05Z","user_id":"bob","item_id":"s1","value":1`) || strings.Count(events, "\n") != 2 {
		t.Errorf("events %q, %v, want a rate of 1 and a view", events, err)
	}
	for name, content := range map[string]string{"cut": dump.String()[:dump.Len()-20], "other": "not a dump at all, but long enough"} {
		if _, _, err := upnextRun(t, "import", "gorse", writeFile(t, in(name), content), "--data-dir", in("data2")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestImportGorseServer reads the lists of a server made here by the
// documented API: cursors, the key, a moment in which it is away.
func TestImportGorseServer(t *testing.T) {
	failures := 1
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "k" {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		if r.URL.Path == "/api/users" && failures > 0 {
			failures--
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		cursor := r.URL.Query().Get("cursor")
		answer := map[string]string{
			"/api/items":     `{"Cursor":"next","Items":[{"ItemId":"a","Categories":["x"],"Timestamp":"2020-01-01T00:00:00Z","Labels":null,"Comment":"A"}]}`,
			"/api/itemsnext": `{"Cursor":"","Items":[{"ItemId":"b","IsHidden":true,"Timestamp":"2020-01-01T00:00:00Z","Comment":"B"}]}`,
			"/api/users":     `{"Cursor":"","Users":[{"UserId":"u","Labels":{"a":"b"}}]}`,
			"/api/feedback":  `{"Cursor":"","Feedback":[{"FeedbackType":"like","UserId":"u","ItemId":"a","Value":0,"Timestamp":"2020-01-01T00:00:00Z"}]}`,
		}[r.URL.Path+cursor]
		fmt.Fprint(w, answer)
	})
	s := httptest.NewServer(h)
	defer s.Close()
	data := filepath.Join(t.TempDir(), "data")
	if _, _, err := upnextRun(t, "import", "gorse", s.URL, "--data-dir", data); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without the key: %v, want a 401", err)
	}
	_, log, err := upnextRun(t, "import", "gorse", s.URL, "--data-dir", data, "--key", "k")
	if err != nil || !strings.Contains(log, "2 items, 1 viewers, 1 events") {
		t.Errorf("import: %v: %s", err, log)
	}
	events, _, err := upnextRun(t, "export", "events", "--data-dir", data)
	if err != nil || !strings.Contains(events, string(upnext.Like)) {
		t.Errorf("events %q, %v, want the like", events, err)
	}
}
