package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/embed"
	"upnext/index/flat"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve"
	"upnext/serve/api"
	"upnext/understand"
)

// wordEmbedder is a deterministic encoder for tests: the sum of a random
// direction for each word, so that texts with words in common are near.
type wordEmbedder struct{}

// Model names it.
func (wordEmbedder) Model() embed.Model { return embed.Model{ID: "test-words", Dim: 64} }

// Embed adds up the words' directions.
func (wordEmbedder) Embed(_ context.Context, inputs ...embed.Input) ([][]float32, error) {
	out := make([][]float32, len(inputs))
	for i, in := range inputs {
		v := make([]float32, 64)
		for _, w := range strings.Fields(strings.ToLower(in.Text)) {
			h := fnv.New64a()
			h.Write([]byte(w))
			r := rand.New(rand.NewPCG(h.Sum64(), 1))
			for k := range v {
				v[k] += float32(r.NormFloat64())
			}
		}
		var n float64
		for _, x := range v {
			n += float64(x) * float64(x)
		}
		if n == 0 {
			v[0], n = 1, 1
		}
		for k := range v {
			v[k] /= float32(math.Sqrt(n))
		}
		out[i] = v
	}
	return out, nil
}

// tagTopics understands an item by its tags alone.
type tagTopics struct{}

// Model names it.
func (tagTopics) Model() string { return "test-tags" }

// Understand takes each tag for a topic.
func (tagTopics) Understand(_ context.Context, inputs ...understand.Input) ([]upnext.Understanding, error) {
	out := make([]upnext.Understanding, len(inputs))
	for i, in := range inputs {
		for _, tag := range in.Item.Tags {
			out[i].Topics = append(out[i].Topics, upnext.Label{Value: tag, Confidence: .9, Model: "test-tags"})
		}
	}
	return out, nil
}

// noImports stands where these tests start none.
type noImports struct{}

// Start refuses.
func (noImports) Start(context.Context, upnext.Tenant, api.ImportOrder) (upnext.Import, error) {
	return upnext.Import{}, fmt.Errorf("no imports in this test: %w", upnext.ErrUnavailable)
}

// Cancel finds none.
func (noImports) Cancel(_ context.Context, _ upnext.Tenant, id upnext.ImportID) (upnext.Import, error) {
	return upnext.Import{}, fmt.Errorf("import %s: %w", id, upnext.ErrNotFound)
}

type writer struct{ *ingest.Pipeline }

// Put adapts results, as the program's wire does.
func (w writer) Put(ctx context.Context, t upnext.Tenant, items ...upnext.Item) ([]api.Written, error) {
	results, err := w.Pipeline.Put(ctx, t, items...)
	out := make([]api.Written, len(results))
	for i, r := range results {
		out[i] = api.Written{ID: r.ID, Status: r.Status, Err: r.Err, Failures: r.Failures}
	}
	return out, err
}

// PutOnly adapts the one result.
func (w writer) PutOnly(ctx context.Context, t upnext.Tenant, it upnext.Item, version int64) (api.Written, error) {
	r, err := w.Pipeline.PutOnly(ctx, t, it, version)
	return api.Written{ID: r.ID, Status: r.Status, Err: r.Err, Failures: r.Failures}, err
}

type collections struct{ *ingest.Pipeline }

// List adapts progress, as the program's wire does.
func (c collections) List(ctx context.Context, t upnext.Tenant) ([]api.Collection, error) {
	all, err := c.Progress(ctx, t)
	out := make([]api.Collection, len(all))
	for i, p := range all {
		out[i] = api.Collection{Name: p.Name, Text: p.Text, Image: p.Image, Role: p.Role, Entries: p.Entries, Promoted: p.Promoted, Tally: p.Tally}
	}
	return out, err
}

// server is an API over the embedded engines in a temporary folder.
type server struct {
	t   testing.TB
	url string
	key string
}

func start(t testing.TB, keys ...api.Key) *server { return startWith(t, nil, nil, keys...) }

// startWith takes another object store, where one is given, and lets the test
// join in before the API is made.
func startWith(t testing.TB, blobs blob.Store, join func(*api.Config, *ingest.Pipeline, *sqlstore.Store), keys ...api.Key) *server {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), logger)
	if err != nil {
		t.Fatal(err)
	}
	if blobs == nil {
		if blobs, err = dir.Open(t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	indexes := flat.New()
	space, err := embed.NewSpace(wordEmbedder{}.Model(), embed.Model{}, embed.DefaultTextWeight)
	if err != nil {
		t.Fatal(err)
	}
	rec := serve.New(serve.Config{
		Catalog: store.Catalog, Events: store.Events, Viewers: store.Viewers, Merges: store.Merges, Beats: store.Beats, Slates: store.Slates, Cursors: store.Cursors, Replies: store.Replies, Schemas: store.Schemas, Collections: indexes,
		Measures: store.Measures(), Showings: store.Slates, Locks: store.Locks,
		Query: embed.Kept{{Text: wordEmbedder{}, Space: space}}.Query, Logger: logger, Seed: 1,
		TokenKey: bytes.Repeat([]byte("k"), 32), Settings: serve.DefaultSettings(),
	})
	pipeline := &ingest.Pipeline{
		Catalog: store.Catalog, Indexings: store.Indexings, Understandings: store.Understandings, Schemas: store.Schemas, Collections: indexes,
		Blobs: blobs, Text: wordEmbedder{}, Space: space, Understander: tagTopics{}, Logger: logger, Now: time.Now,
	}
	if err := pipeline.Sweep(t.Context(), upnext.DefaultTenant); err != nil {
		t.Fatal(err)
	}
	config := api.Config{
		Recommender: rec, Writer: writer{pipeline}, Importer: noImports{}, Collections: collections{pipeline}, Catalog: store.Catalog, Indexings: store.Indexings,
		Understandings: store.Understandings, Viewers: store.Viewers, Holdings: store.Holdings, Schemas: store.Schemas, Imports: store.Imports, Blobs: blobs,
		Collection: space.Name(), Keys: keys, AllowOrigins: []string{"https://shop.example"}, Metrics: prometheus.NewRegistry(), Logger: logger, Now: time.Now, Version: "test",
	}
	if join != nil {
		join(&config, pipeline, store)
	}
	h := api.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		if err := rec.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.Close(); cancel(); group.Wait(); store.Close() })
	for rec.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	return &server{t: t, url: s.URL}
}

// do sends a request and returns status, header and body.
func (s *server) do(method, path, contentType, body string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// json sends JSON, wants a status and decodes the answer.
func (s *server) json(want int, method, path, body string) map[string]any {
	s.t.Helper()
	kind := "application/json"
	if method == "PATCH" {
		kind = "application/merge-patch+json"
	}
	status, _, raw := s.do(method, path, kind, body)
	if status != want {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, status, raw, want)
	}
	if strings.Contains(raw, ":null") {
		s.t.Errorf("%s %s: a null, which the description has nowhere: %s", method, path, raw)
	}
	var out map[string]any
	if raw != "" {
		if err := json.Unmarshal([]byte(raw), &out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return out
}

// ids returns the items of an answer.
func ids(answer map[string]any) []string {
	var out []string
	items, _ := answer["items"].([]any)
	for _, it := range items {
		out = append(out, it.(map[string]any)["id"].(string))
	}
	return out
}

func item(id, topic string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"video","title":"%s %s","description":"about it","tags":[%q],"creator_id":"c-%s","creator_name":"C","published_at":"2026-01-02T03:04:05Z"}`, id, topic, id, topic, topic)
}

func (s *server) fill() {
	s.t.Helper()
	var lines []string
	for _, topic := range []string{"cooking", "space", "music"} {
		for i := range 12 {
			lines = append(lines, item(fmt.Sprintf("%s-%d", topic, i), topic))
		}
	}
	status, _, body := s.do("POST", "/v1/items", "application/x-ndjson", strings.Join(lines, "\n"))
	if status != 200 || strings.Count(body, `"status":"created"`) != 36 {
		s.t.Fatalf("fill: %d %s", status, body)
	}
}

func event(id, user, kind, rest string) string {
	return fmt.Sprintf(`{"id":%q,"kind":%q,"at":%q,"user_id":%q%s}`, id, kind, time.Now().UTC().Format(time.RFC3339Nano), user, rest)
}

func TestLikeChangesTheNextAnswer(t *testing.T) {
	s := start(t)
	s.fill()
	ask := `{"user_id":"u1","count":10,"include":["title","topics","creator_name"]}`
	share := func(a map[string]any, topic string) (n int) {
		for _, id := range ids(a) {
			if strings.HasPrefix(id, topic) {
				n++
			}
		}
		return n
	}
	before := s.json(200, "POST", "/v1/recommend", ask)
	described := s.json(200, "POST", "/v1/recommend", `{"count":1,"include":["description"]}`)["items"].([]any)[0].(map[string]any)
	if got := described["properties"].(map[string]any)["description"]; got != "about it" {
		t.Errorf("description %v, want the item's", got)
	}
	if len(ids(before)) != 10 {
		t.Fatalf("an unknown user got %d items, want 10", len(ids(before)))
	}
	got := s.json(202, "POST", "/v1/events", event("e1", "u1", "like", `,"item_id":"music-3"`))
	if got["accepted"] != 1.0 {
		t.Errorf("accepted %v, want 1", got["accepted"])
	}
	after := s.json(200, "POST", "/v1/recommend", ask)
	if share(after, "music") <= share(before, "music") {
		t.Errorf("music %d before and %d after a like, want more", share(before, "music"), share(after, "music"))
	}
	if slices.Contains(ids(after), "music-3") {
		t.Error("the liked item is still there")
	}
	named := false
	for _, it := range after["items"].([]any) {
		if rs, _ := it.(map[string]any)["reasons"].([]any); len(rs) > 0 {
			named = named || rs[0].(map[string]any)["item_id"] == "music-3"
		}
	}
	if !named {
		t.Error("no reason names the liked item")
	}
	if again := s.json(202, "POST", "/v1/events", event("e1", "u1", "like", `,"item_id":"music-3"`)); again["duplicates"] != 1.0 {
		t.Errorf("sent again: %v, want a duplicate", again)
	}
	s.json(202, "POST", "/v1/events", event("e2", "u1", "not_interested", `,"scope":"topic","topic":"music"`))
	if n := share(s.json(200, "POST", "/v1/recommend", ask), "music"); n != 0 {
		t.Errorf("%d of music after not interested in it, want 0", n)
	}
	s.json(204, "DELETE", "/v1/events/e2", "")
	if n := share(s.json(200, "POST", "/v1/recommend", ask), "music"); n == 0 {
		t.Error("none of music though the not interested was taken back")
	}
	profile := s.json(200, "GET", "/v1/users/u1/profile", "")
	if profile["known"] != true || len(profile["recent"].([]any)) != 1 {
		t.Errorf("profile %v, want known with one event", profile)
	}
	receipt := s.json(200, "DELETE", "/v1/users/u1", "")
	if receipt["events"] != 1.0 {
		t.Errorf("receipt %v, want one event erased", receipt)
	}
	if p := s.json(200, "GET", "/v1/users/u1/profile", ""); p["known"] != false {
		t.Error("the erased user is still known")
	}
}

// TestTokenStandsForTheItem sends an event with nothing but a token.
func TestTokenStandsForTheItem(t *testing.T) {
	s := start(t)
	s.fill()
	first := s.json(200, "POST", "/v1/recommend", `{"user_id":"u1","count":1}`)["items"].([]any)[0].(map[string]any)
	s.json(202, "POST", "/v1/events", event("e1", "u1", "play", fmt.Sprintf(`,"token":%q`, first["token"])))
	recent := s.json(200, "GET", "/v1/users/u1/profile", "")["recent"].([]any)
	if len(recent) != 1 || recent[0].(map[string]any)["item_id"] != first["id"] {
		t.Errorf("recent events %v, want a play of %v", recent, first["id"])
	}
	status, _, body := s.do("POST", "/v1/events", "application/json", event("e2", "u1", "play", `,"token":"forged"`))
	if status != 422 || !strings.Contains(body, "item_id") {
		t.Errorf("a forged token and no item: %d %s, want 422 that says so", status, body)
	}
}

func TestItems(t *testing.T) {
	s := start(t)
	id := "a/b c%?ü"
	path := "/v1/items/" + url.PathEscape(id)
	if got := s.json(200, "PUT", path, item(id, "space")); got["outcome"] != "created" || got["id"] != id {
		t.Errorf("put: %v, want created %q", got, id)
	}
	if got := s.json(200, "PUT", path, item(id, "space")); got["outcome"] != "unchanged" {
		t.Errorf("put again: %v, want unchanged", got["outcome"])
	}
	if got := s.json(200, "PATCH", path, `{"title":"new space","duration_ms":5000,"language":null}`); got["title"] != "new space" || got["duration_ms"] != 5000.0 || got["kind"] != "video" {
		t.Errorf("patched: %v", got)
	}
	if got := s.json(200, "GET", path+"/status", ""); got["current"] != true || got["text"] != "done" {
		t.Errorf("status: %v, want current and done", got)
	}
	if got := s.json(200, "GET", path+"/understanding", ""); len(got["topics"].([]any)) != 1 {
		t.Errorf("understanding: %v, want one topic", got)
	}
	got := s.json(200, "PATCH", path+"/understanding", `{"topics":["telescopes"]}`)
	if l := got["topics"].([]any)[0].(map[string]any); l["value"] != "telescopes" || l["model"] != "person" {
		t.Errorf("corrected: %v", l)
	}
	// None of its words: only the index's columns let the search find it.
	if got := s.json(200, "POST", "/v1/search", `{"query":"xylophone","filter":"'telescopes' in topics"}`); !slices.Contains(ids(got), id) {
		t.Errorf("search by the corrected topic: %v, want %q", ids(got), id)
	}
	s.json(200, "PATCH", path, `{"title":"another space"}`)
	got = s.json(200, "GET", path+"/understanding", "")
	if l := got["topics"].([]any)[0].(map[string]any); l["value"] != "telescopes" {
		t.Errorf("after a new title: %v, want the person's word", l)
	}
	if got := s.json(200, "POST", "/v1/search", `{"query":"another space","filter":"'telescopes' in topics"}`); !slices.Contains(ids(got), id) {
		t.Errorf("search: %v, want %q", ids(got), id)
	}
	s.json(204, "DELETE", path, "")
	s.json(404, "GET", path, "")
	s.json(404, "DELETE", path, "")
	if got := s.json(200, "POST", "/v1/search", `{"query":"another space"}`); slices.Contains(ids(got), id) {
		t.Error("a deleted item was found")
	}
}

func TestList(t *testing.T) {
	s := start(t)
	s.fill()
	var all []string
	cursor := ""
	for range 20 {
		got := s.json(200, "GET", "/v1/items?limit=5&filter="+url.QueryEscape("'space' in tags")+"&cursor="+cursor, "")
		all = append(all, ids(got)...)
		if cursor, _ = got["next_cursor"].(string); cursor == "" {
			break
		}
	}
	if len(all) != 12 || !slices.IsSorted(all) {
		t.Errorf("listed %v, want the 12 of space by id", all)
	}
}

func TestSimilar(t *testing.T) {
	s := start(t)
	s.fill()
	got := ids(s.json(200, "POST", "/v1/similar", `{"item_ids":["space-1"],"count":5,"diversity":0}`))
	if len(got) != 5 || slices.Contains(got, "space-1") || !strings.HasPrefix(got[0], "space-") {
		t.Errorf("similar: %v, want five of space without space-1", got)
	}
	p := s.json(404, "POST", "/v1/similar", `{"item_ids":["nope"]}`)
	if !strings.Contains(p["detail"].(string), "nope") {
		t.Errorf("problem %v does not name the item", p)
	}
}

func TestUsersAndFollows(t *testing.T) {
	s := start(t)
	s.fill()
	s.json(404, "GET", "/v1/users/u1", "")
	got := s.json(200, "PUT", "/v1/users/u1", `{"locale":"zh-CN","birth_year":2000,"follows":["c-space"]}`)
	if got["locale"] != "zh-CN" || got["follows"].([]any)[0] != "c-space" {
		t.Errorf("user: %v", got)
	}
	if got := s.json(200, "PATCH", "/v1/users/u1", `{"follows":["c-music"]}`); got["birth_year"] != 2000.0 || len(got["follows"].([]any)) != 1 || got["follows"].([]any)[0] != "c-music" {
		t.Errorf("patched: %v, want c-music alone and the year kept", got)
	}
}

func TestSchema(t *testing.T) {
	s := start(t)
	s.json(200, "PUT", "/v1/schema/items", `{"attributes":[{"name":"price","type":"number","filterable":true},{"name":"when","type":"time"}]}`)
	s.json(409, "PUT", "/v1/schema/items", `{"attributes":[{"name":"price","type":"string"}]}`)
	s.json(200, "PUT", "/v1/items/p", `{"id":"p","kind":"product","title":"pan","attributes":{"price":12.5,"when":"2026-01-01T00:00:00Z"}}`)
	if got := s.json(422, "PUT", "/v1/items/q", `{"id":"q","kind":"product","title":"pot","attributes":{"price":"dear"}}`); !strings.Contains(fmt.Sprint(got["errors"]), "/attributes/price") {
		t.Errorf("problem %v does not point at the price", got)
	}
	if got := s.json(200, "POST", "/v1/search", `{"query":"pan","filter":"attributes.price < 20"}`); len(ids(got)) != 1 {
		t.Errorf("found %v, want p", ids(got))
	}
}

// TestCollections: what the API says of the collection that answers, and what
// it refuses to do to it.
func TestCollections(t *testing.T) {
	s := start(t)
	s.json(200, "PUT", "/v1/items/a", item("a", "space"))
	all := s.json(200, "GET", "/v1/collections", "")["collections"].([]any)
	if len(all) != 1 {
		t.Fatalf("collections: %v, want one", all)
	}
	got := all[0].(map[string]any)
	if got["promoted"] != true || got["role"] != "main" || got["items"] != 1.0 || got["searchable"] != 1.0 || got["pending"] != 0.0 || got["text_model"] != "test-words" {
		t.Errorf("collection: %v", got)
	}
	name := got["name"].(string)
	s.json(200, "POST", "/v1/collections/"+name+"/promote", "")
	s.json(404, "POST", "/v1/collections/none/promote", "")
	s.json(404, "DELETE", "/v1/collections/none", "")
	s.json(409, "DELETE", "/v1/collections/"+name, "")
}

// TestRank: candidates come back ranked, with what may not be shown and why; what
// has no meaning there is refused by its name.
func TestRank(t *testing.T) {
	s := start(t)
	s.fill()
	got := s.json(200, "POST", "/v1/rank", `{"user_id":"u1","item_ids":["space-1","nope","space-2"],"include":["title"]}`)
	if list := ids(got); len(list) != 2 || !slices.Contains(list, "space-1") {
		t.Errorf("ranked %v", list)
	}
	if dropped := fmt.Sprint(got["dropped"]); dropped != "[map[id:nope reason:gone]]" || got["scenario"] != "rank" {
		t.Errorf("dropped %s in scenario %v", dropped, got["scenario"])
	}
	for body, pointer := range map[string]string{
		`{"item_ids":["a","b","a"]}`:                        "/item_ids/2",
		`{"item_ids":[]}`:                                   "/item_ids",
		`{"item_ids":["a"],"diversity":0.5}`:                "/diversity",
		`{"item_ids":["a"],"context":{"item_id":"b"}}`:      "/context/item_id",
		`{"item_ids":["a"],"filter":"title =="}`:            "/filter",
		`{"item_ids":["` + strings.Repeat("x", 300) + `"]}`: "/item_ids/0",
	} {
		status, _, answer := s.do("POST", "/v1/rank", "application/json", body)
		if status != 422 && status != 400 || !strings.Contains(answer, `"pointer":"`+pointer+`"`) {
			t.Errorf("%.60s: %d %s, want a problem at %s", body, status, answer, pointer)
		}
	}
}

// TestPage: rows come dressed as answers do, may be read on and explained, and what
// is wrong in a row is pointed at; a key that may sit in a page may ask for one.
func TestPage(t *testing.T) {
	const secret, page = "secret-secret-secret", "page-page-page-page"
	s := start(t, api.Key{Secret: secret, Tenant: upnext.DefaultTenant}, api.Key{Secret: page, Tenant: upnext.DefaultTenant, Publishable: true})
	s.key = secret
	s.fill()
	s.key = page
	got := s.json(200, "POST", "/v1/pages", `{"user_id":"u1","count":4,"include":["title"],"rows":[
		{"name":"all"}, {"name":"space","title":"Stars","fixed":true,"filter":"'space' in tags"}, {"name":"new","sources":["fresh"]}, {"name":"none","item_ids":["nope"]}]}`)
	rows, met := got["rows"].([]any), map[string]bool{}
	if len(rows) != 3 || !strings.HasPrefix(got["id"].(string), "page_") {
		t.Fatalf("%v: rows %v", got["id"], rows)
	}
	if left := fmt.Sprint(got["left_out"]); !strings.Contains(left, "none") || !strings.Contains(left, "not found") {
		t.Errorf("left out %s", left)
	}
	take := func(answer map[string]any) {
		for _, id := range ids(answer) {
			if met[id] {
				t.Errorf("%s twice", id)
			}
			met[id] = true
		}
	}
	for i, r := range rows {
		row := r.(map[string]any)
		take(row)
		if first := row["items"].([]any)[0].(map[string]any); first["token"] == "" || first["properties"].(map[string]any)["title"] == nil {
			t.Errorf("%v: %v", row["name"], first)
		}
		if i == 1 && (row["name"] != "space" || row["title"] != "Stars") {
			t.Errorf("in the second place %v %v", row["name"], row["title"])
		}
	}
	for _, r := range rows {
		take(s.json(200, "POST", "/v1/recommend/next", fmt.Sprintf(`{"cursor":%q}`, r.(map[string]any)["next_cursor"])))
	}
	if suited := s.json(200, "POST", "/v1/pages", `{"anonymous_id":"new","context":{"locale":"zh"}}`)["rows"].([]any); suited[0].(map[string]any)["title"] != "为你推荐" {
		t.Errorf("a stranger's first row is %v", suited[0].(map[string]any)["title"])
	}
	s.json(403, "POST", "/v1/pages", `{"explain":"trace"}`)
	for body, pointer := range map[string]string{
		`{"rows":[{"name":"a"},{"name":"a"}]}`:                    "/rows/1/name",
		`{"rows":[{"name":"a","filter":"title =="}]}`:             "/rows/0/filter",
		`{"rows":[{"name":"a","sources":["nope"]}]}`:              "/rows/0/sources/0",
		`{"filter":"title ==","rows":[{"name":"a"}]}`:             "/filter",
		`{"rows":[{"name":"a","item_ids":["x"],"query":"y"}]}`:    "/rows/0/query",
		`{"context":{"item_id":"space-1"},"rows":[{"name":"a"}]}`: "/context/item_id",
	} {
		status, _, answer := s.do("POST", "/v1/pages", "application/json", body)
		if status != 422 && status != 400 || !strings.Contains(answer, `"pointer":"`+pointer+`"`) {
			t.Errorf("%.60s: %d %s, want a problem at %s", body, status, answer, pointer)
		}
	}
}
