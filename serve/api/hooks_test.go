package api_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	sdk "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/minio"
	"upnext/infra/enginetest"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/serve/api"
)

const hookToken = "the-token-of-the-hook"

// news is a Watcher of one bucket, which writes down what it is told.
type news struct {
	mu  sync.Mutex
	all []string
}

func (n *news) Notice(bucket, key string, removed bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprint(bucket, " ", key, " ", removed))
	return bucket == "films"
}

func record(event, bucket, key string) string {
	return fmt.Sprintf(`{"eventVersion":"2.0","eventName":%q,"s3":{"bucket":{"name":%q},"object":{"key":%q,"size":3}}}`, event, bucket, key)
}

func TestHook(t *testing.T) {
	var n news
	s := startWith(t, nil, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) { c.Watcher, c.HookToken = &n, hookToken },
		api.Key{Secret: "a-secret-key-of-16", Tenant: upnext.DefaultTenant})
	body := `{"EventName":"x","Key":"films/x","Records":[` + strings.Join([]string{
		record("s3:ObjectCreated:Put", "films", "a%2Fb+c%2B%E7%8C%AB%2Fitem.json"), record("ObjectRemoved:Delete", "films", "x"),
		record("s3:ObjectAccessed:Get", "films", "seen"), record("s3:ObjectCreated:CompleteMultipartUpload", "others", "y"),
	}, ",") + `]}`
	for key, want := range map[string]int{"": 401, "wrong": 401, "a-secret-key-of-16": 401} {
		s.key = key
		if status, _, got := s.do("POST", "/v1/hooks/minio", "application/json", body); status != want {
			t.Errorf("with %q: %d %s, want %d", key, status, got, want)
		}
	}
	s.key = hookToken
	got := s.json(200, "POST", "/v1/hooks/minio", body)
	if got["taken"] != 2.0 || got["ignored"] != 2.0 {
		t.Errorf("answer %v, want 2 taken, 2 ignored", got)
	}
	if want := []string{"films a/b c+猫/item.json false", "films x true", "others y false"}; !slices.Equal(n.all, want) {
		t.Errorf("told %q, want %q", n.all, want)
	}
	s.json(200, "POST", "/v1/hooks/minio", `{}`)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"no JSON":    {`{"Records":[`, 422},
		"a list":     {`[]`, 422},
		"bad escape": {`{"Records":[` + record("s3:ObjectCreated:Put", "films", "%zz") + `]}`, 422},
		"no bucket":  {`{"Records":[` + record("s3:ObjectCreated:Put", "", "x") + `]}`, 422},
		"no key":     {`{"Records":[` + record("s3:ObjectCreated:Put", "films", "") + `]}`, 422},
		"long":       {`{"Records":[],"x":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
	} {
		if status, _, got := s.do("POST", "/v1/hooks/minio", "application/json", c.body); status != c.want {
			t.Errorf("%s: %d %.200s, want %d", name, status, got, c.want)
		}
	}
	if status, _, _ := s.do("GET", "/v1/items", "application/json", ""); status != 401 {
		t.Errorf("the hook's token reads items: %d, want 401", status)
	}
	if _, _, metrics := s.do("GET", "/metrics", "text/plain", ""); !strings.Contains(metrics, `upnext_hook_objects_total{outcome="taken"} 2`) {
		t.Error("the metric does not tell of 2 taken")
	}
	for _, keys := range [][]api.Key{nil, {{Secret: "a-secret-key-of-16", Tenant: upnext.DefaultTenant}}} {
		without := start(t, keys...)
		without.key = hookToken
		if status, _, got := without.do("POST", "/v1/hooks/minio", "application/json", body); status != 404 {
			t.Errorf("without the setting and %d keys: %d %s, want 404", len(keys), status, got)
		}
	}
}

// newBucket makes a bucket on the real server, gone with the test, and returns
// its address without prefix and another program's client.
func newBucket(t *testing.T) (name, endpoint string, client *sdk.Client) {
	t.Helper()
	u, err := url.Parse(enginetest.URL(t, "UPNEXT_TEST_MINIO"))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	t.Setenv("AWS_ACCESS_KEY_ID", u.User.Username())
	t.Setenv("AWS_SECRET_ACCESS_KEY", password)
	if client, err = sdk.New(u.Host, &sdk.Options{Creds: credentials.NewStaticV4(u.User.Username(), password, ""), Secure: u.Scheme == "https"}); err != nil {
		t.Fatal(err)
	}
	name = "upnext-test-" + strings.ToLower(rand.Text())
	if err := client.MakeBucket(t.Context(), name, sdk.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for o := range client.ListObjectsIter(context.Background(), name, sdk.ListObjectsOptions{Recursive: true}) {
			if err := client.RemoveObject(context.Background(), name, o.Key, sdk.RemoveObjectOptions{}); err != nil {
				t.Error(err)
			}
		}
		if err := client.RemoveBucket(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return name, u.Scheme + "://" + u.Host, client
}

// TestMediaFromMinIO: a browser is sent to the object store where it reaches
// it, and served from here where not; the same keys are shown.
func TestMediaFromMinIO(t *testing.T) {
	name, endpoint, _ := newBucket(t)
	for _, public := range []bool{false, true} {
		address := "s3://" + name + "/up?endpoint=" + endpoint
		if public {
			address += "&public=" + endpoint
		}
		blobs, err := minio.Open(t.Context(), address, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		pages := fstest.MapFS{"index.html": {Data: []byte("<html>")}}
		s := startWith(t, blobs, func(c *api.Config, _ *ingest.Pipeline, _ *sqlstore.Store) { c.Pages = fs.FS(pages) })
		for key, content := range map[string]string{"default/a b+c.jpg": "a picture", "default/secret.json": "{}"} {
			if _, err := blobs.Put(t.Context(), key, strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		status, header, body := s.do("GET", "/media/default/a%20b%2Bc.jpg", "", "")
		if status != 200 || body != "a picture" || header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("public %v: %d %q as %s, want the picture", public, status, body, header.Get("Content-Type"))
		}
		first, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(s.url + "/media/default/a%20b%2Bc.jpg")
		if err != nil {
			t.Fatal(err)
		}
		first.Body.Close()
		if sent := first.StatusCode == http.StatusTemporaryRedirect && strings.HasPrefix(first.Header.Get("Location"), endpoint) &&
			first.Header.Get("Cache-Control") == "private, max-age=300"; sent != public {
			t.Errorf("public %v: %d to %q, %s", public, first.StatusCode, first.Header.Get("Location"), first.Header.Get("Cache-Control"))
		}
		for _, path := range []string{"/media/default/secret.json", "/media/default/..%2Fx.jpg", "/media/default/gone.jpg"} {
			if status, _, body := s.do("GET", path, "", ""); status != 404 {
				t.Errorf("public %v: %s: %d %s, want 404", public, path, status, body)
			}
		}
		_, header, _ = s.do("GET", "/", "", "")
		if got := strings.Contains(header.Get("Content-Security-Policy"), endpoint); got != public {
			t.Errorf("public %v: the page's policy is %s", public, header.Get("Content-Security-Policy"))
		}
	}
}

// listen serves the address that the real server's webhook posts to. Its own
// path and token are what the server was started with: here they become ours.
func listen(t *testing.T, to string) {
	t.Helper()
	hook, err := url.Parse(enginetest.URL(t, "UPNEXT_TEST_MINIO_HOOK"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", hook.Host)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return // the server looks whether we are there
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, to, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+hookToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})}
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(l) }) // until Close
	t.Cleanup(func() { server.Close(); group.Wait() })
}

// TestBucketToAnswer is the way from an object that another program puts into
// a bucket to the catalogue, with the real server and its webhook; then with
// the news lost.
func TestBucketToAnswer(t *testing.T) {
	name, endpoint, client := newBucket(t)
	arn := os.Getenv("UPNEXT_TEST_MINIO_HOOK_ARN")
	if arn == "" {
		arn = "arn:minio:sqs::UPNEXT:webhook"
	}
	put := func(key, content string) {
		t.Helper()
		if _, err := client.PutObject(t.Context(), name, key, strings.NewReader(content), int64(len(content)), sdk.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put("catalogue/a b/item.json", item("first", "space"))
	sources, err := minio.NewSources([]string{"s3://" + name + "/catalogue?endpoint=" + endpoint}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer func() { stop(); group.Wait() }()
	var watcher *ingest.Watcher
	watch := func(c *api.Config, p *ingest.Pipeline, store *sqlstore.Store) {
		queue, err := jobs.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "jobs.db"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		im, err := ingest.NewImporter(ingest.ImporterConfig{Pipeline: p, Imports: store.Imports, Events: store.Events, Queue: queue, Workers: 2,
			Buckets: func(ctx context.Context, t upnext.Tenant, bucket, key string) (blob.Store, error) {
				return sources.Open(ctx, t, bucket, key)
			}})
		if err != nil {
			t.Fatal(err)
		}
		watcher, err = ingest.NewWatcher(ingest.WatcherConfig{
			Importer: im, Watches: []ingest.Watch{{Tenant: upnext.DefaultTenant, Source: "s3://" + name + "/catalogue", OnMissing: upnext.DeleteMissing}},
			Every: 5 * time.Second, Gather: 100 * time.Millisecond,
			Announce: func(ctx context.Context, tenant upnext.Tenant, bucket, prefix string) error {
				return sources.Announce(ctx, tenant, bucket, prefix, arn)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Watcher, c.HookToken = watcher, hookToken
		group.Go(func() {
			if err := im.Run(ctx); err != nil {
				t.Error(err)
			}
			queue.Close()
		})
	}
	s := startWith(t, nil, watch)
	listen(t, s.url+"/v1/hooks/minio")
	group.Go(func() {
		if err := watcher.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	until := func(id string, want int) time.Duration {
		t.Helper()
		began := time.Now()
		for time.Since(began) < 20*time.Second {
			if status, _, _ := s.do("GET", "/v1/items/"+id, "", ""); status == want {
				return time.Since(began)
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("item %s: not %d in time", id, want)
		return 0
	}
	until("first", 200)
	put("catalogue/c+d/item.json", item("second", "music"))
	took := until("second", 200)
	t.Logf("from the put to the catalogue: %v", took)
	if n := len(s.json(200, "GET", "/v1/imports", "")["imports"].([]any)); n != 1 {
		t.Errorf("%d imports of the whole before the news had brought the item, want the one at the start", n)
	}
	if err := client.RemoveObject(t.Context(), name, "catalogue/c+d/item.json", sdk.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("from the removal: %v", until("second", 404))

	// Somebody takes the rules away: the listing finds what nobody tells.
	if err := client.RemoveAllBucketNotification(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	put("catalogue/e/item.json", item("third", "music"))
	t.Logf("without news: %v", until("third", 200))
}
