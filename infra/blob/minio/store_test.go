package minio_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	sdk "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/notification"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/blobtest"
	"upnext/infra/blob/dir"
	"upnext/infra/blob/minio"
	"upnext/infra/enginetest"
)

var quiet = slog.New(slog.DiscardHandler)

// bucket is a fresh bucket of the real server, gone with the test.
type bucket struct {
	name     string
	endpoint string
	client   *sdk.Client // another program's view of it
}

func newBucket(t testing.TB) bucket {
	t.Helper()
	u, err := url.Parse(enginetest.URL(t, "UPNEXT_TEST_MINIO"))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	t.Setenv("AWS_ACCESS_KEY_ID", u.User.Username())
	t.Setenv("AWS_SECRET_ACCESS_KEY", password)
	client, err := sdk.New(u.Host, &sdk.Options{Creds: credentials.NewStaticV4(u.User.Username(), password, ""), Secure: u.Scheme == "https"})
	if err != nil {
		t.Fatal(err)
	}
	b := bucket{"upnext-test-" + strings.ToLower(rand.Text()), u.Scheme + "://" + u.Host, client}
	if err := client.MakeBucket(t.Context(), b.name, sdk.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		for o := range client.ListObjectsIter(ctx, b.name, sdk.ListObjectsOptions{Recursive: true}) {
			if err := client.RemoveObject(ctx, b.name, o.Key, sdk.RemoveObjectOptions{}); err != nil {
				t.Error(err)
			}
		}
		if err := client.RemoveBucket(ctx, b.name); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b bucket) address(prefix, more string) string {
	return "s3://" + b.name + "/" + prefix + "?endpoint=" + url.QueryEscape(b.endpoint) + more
}

func (b bucket) open(t testing.TB, prefix, more string) *minio.Store {
	t.Helper()
	s, err := minio.Open(t.Context(), b.address(prefix, more), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes as another program does.
func (b bucket) put(t testing.TB, key, content string) {
	t.Helper()
	if _, err := b.client.PutObject(t.Context(), b.name, key, strings.NewReader(content), int64(len(content)), sdk.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	blobtest.Test(t, func(t *testing.T) blob.Store { return newBucket(t).open(t, "", "") })
}

// TestStoreBelowPrefix runs the suite where others have objects around ours.
func TestStoreBelowPrefix(t *testing.T) {
	blobtest.Test(t, func(t *testing.T) blob.Store {
		b := newBucket(t)
		b.put(t, "up/nex", "x")
		b.put(t, "up/next.txt", "x")
		b.put(t, "up/nexu", "x")
		return b.open(t, "up/next", "")
	})
}

func BenchmarkStore(b *testing.B) {
	b.Run("minio", func(b *testing.B) {
		blobtest.Bench(b, func(b *testing.B) blob.Store { return newBucket(b).open(b, "", "") })
	})
	b.Run("dir", func(b *testing.B) {
		blobtest.Bench(b, func(b *testing.B) blob.Store {
			s, err := dir.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			return s
		})
	})
}

// TestLongObject sends 43 MB in parts of 5, and reads it back.
func TestLongObject(t *testing.T) {
	b := newBucket(t)
	s := b.open(t, "", "&part_mb=5")
	const size = 43 << 20
	content := func() io.Reader { return io.LimitReader(&pattern{}, size) }
	want := sha256.New()
	if _, err := io.Copy(want, content()); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	info, err := s.Put(t.Context(), "long.bin", content())
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// The buffer grows by doubling; all of the object would be 43 MB and more.
	if used := after.TotalAlloc - before.TotalAlloc; used > 24<<20 {
		t.Errorf("a put of %d MB in parts of 5 allocated %d MB", size>>20, used>>20)
	}
	if stat, err := s.Stat(t.Context(), "long.bin"); err != nil || stat != info || stat.Size != size {
		t.Errorf("stat %+v %v, want %+v of %d bytes", stat, err, info, size)
	}
	if !strings.HasSuffix(info.ETag, "-9") {
		t.Errorf("ETag %s, want that of nine parts", info.ETag)
	}
	for _, offset := range []int64{0, 5<<20 + 1, size} {
		r, opened, err := s.Open(t.Context(), "long.bin", offset)
		if err != nil {
			t.Fatal(err)
		}
		got := sha256.New()
		_, _ = io.CopyN(got, content(), offset) // into a hash
		n, err := io.Copy(got, r)
		r.Close()
		if err != nil || n != size-offset || !bytes.Equal(got.Sum(nil), want.Sum(nil)) || opened != info {
			t.Errorf("from %d: %d bytes, %v, %+v", offset, n, err, opened)
		}
	}
	for _, exact := range []int64{5 << 20, 10 << 20} {
		info, err := s.Put(t.Context(), "exact.bin", io.LimitReader(&pattern{}, exact))
		if err != nil || info.Size != exact {
			t.Errorf("put of exactly %d: %+v %v", exact, info, err)
		}
	}
}

// TestLongObjectBreaksOff checks that neither an object nor parts are left.
func TestLongObjectBreaksOff(t *testing.T) {
	b := newBucket(t)
	s := b.open(t, "", "&part_mb=5")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	long := func(last io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(&pattern{}, 12<<20), last, io.LimitReader(&pattern{}, 12<<20))
	}
	for _, c := range []struct {
		r    io.Reader
		want error
	}{{long(fails{}), errFails}, {long(calls{cancel}), context.Canceled}} {
		if _, err := s.Put(ctx, "long.bin", c.r); !errors.Is(err, c.want) {
			t.Errorf("put: %v, want %v", err, c.want)
		}
		if _, err := s.Stat(t.Context(), "long.bin"); !errors.Is(err, upnext.ErrNotFound) {
			t.Errorf("%v: stat: %v, want ErrNotFound", c.want, err)
		}
		// MinIO lists uploads by their whole key only.
		for u := range b.client.ListIncompleteUploads(t.Context(), b.name, "long.bin", true) {
			t.Errorf("%v: left %+v", c.want, u)
		}
	}
}

// pattern is an endless reader without a period that parts could hide.
type pattern struct{ n uint64 }

func (p *pattern) Read(to []byte) (int, error) {
	for i := range to {
		p.n++
		to[i] = byte(p.n * p.n >> 7)
	}
	return len(to), nil
}

var errFails = errors.New("broke off")

type fails struct{}

func (fails) Read([]byte) (int, error) { return 0, errFails }

type calls struct{ f func() }

func (c calls) Read([]byte) (int, error) { c.f(); return 0, io.EOF }

// TestReadOn breaks the connection in the middle of an object, by a proxy, and
// checks that the reader goes on with the same version or fails.
func TestReadOn(t *testing.T) {
	b := newBucket(t)
	target, _ := url.Parse(b.endpoint)
	gets := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The signature is for the host that was asked: it stays.
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = target.Scheme, target.Host, ""
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		if r.Method == http.MethodGet && resp.StatusCode < 300 && strings.HasSuffix(r.URL.Path, ".bin") {
			gets++
			_, _ = io.CopyN(w, resp.Body, 100_000)
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(w, resp.Body)
	}))
	defer proxy.Close()
	content := strings.Repeat("0123456789", 25_000)
	b.put(t, "k.bin", content)
	through := b
	through.endpoint = proxy.URL
	s := through.open(t, "", "")
	r, _, err := s.Open(t.Context(), "k.bin", 7)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	r.Close()
	if err != nil || string(got) != content[7:] || gets < 3 {
		t.Errorf("%d bytes in %d requests, %v; want %d in three", len(got), gets, err, len(content)-7)
	}
	if r, _, err = s.Open(t.Context(), "k.bin", 0); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(r, make([]byte, 10))
	b.put(t, "k.bin", strings.ToUpper(content)+"x")
	if _, err := io.ReadAll(r); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("replaced in the middle: %v, want ErrConflict", err)
	}
	r.Close()
}

func TestForeignKeys(t *testing.T) {
	b := newBucket(t)
	for _, key := range []string{"p/folder/", "p/a", "p/b/c"} {
		b.put(t, key, "")
	}
	var got []string
	for info, err := range b.open(t, "p", "").List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Key)
	}
	if fmt.Sprint(got) != "[a b/c]" {
		t.Errorf("listed %v, want a and b/c without the console's folder", got)
	}
}

// TestManyPages lists more than a page holds, and stops early.
func TestManyPages(t *testing.T) {
	b := newBucket(t)
	s := b.open(t, "p", "")
	for i := range 1100 {
		if _, err := b.client.PutObject(t.Context(), b.name, fmt.Sprintf("p/%04d", i), strings.NewReader("x"), 1, sdk.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	n, last := 0, ""
	for info, err := range s.List(t.Context(), "", "0004") {
		if err != nil || info.Key <= last {
			t.Fatalf("%q after %q: %v", info.Key, last, err)
		}
		n, last = n+1, info.Key
	}
	if n != 1095 {
		t.Errorf("%d listed, want 1095", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var err error
	for _, err = range s.List(ctx, "", "") {
		cancel()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the middle: %v, want context.Canceled", err)
	}
	before := runtime.NumGoroutine()
	for range 20 {
		for range s.List(t.Context(), "", "") {
			break
		}
	}
	if after := runtime.NumGoroutine(); after > before+5 {
		t.Errorf("%d goroutines after 20 listings that stopped early, %d before", after, before)
	}
}

func TestOpenRefuses(t *testing.T) {
	b := newBucket(t)
	if _, err := minio.Open(t.Context(), "s3://upnext-no-such-bucket?endpoint="+b.endpoint, quiet); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("missing bucket: %v, want ErrNotFound", err)
	}
	made := bucket{"upnext-test-" + strings.ToLower(rand.Text()), b.endpoint, b.client}
	made.open(t, "", "&create=true")
	if err := b.client.RemoveBucket(t.Context(), made.name); err != nil {
		t.Errorf("a bucket to be created: %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not the one")
	if _, err := minio.Open(t.Context(), b.address("", ""), quiet); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("wrong password: %v, want ErrInvalid that names the credentials", err)
	}
}

// TestNobodyThere asks a server that is not there and one that is broken.
func TestNobodyThere(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "someone")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "something")
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
	}))
	defer broken.Close()
	for name, endpoint := range map[string]string{"closed": "http://127.0.0.1:1", "broken": broken.URL} {
		began := time.Now()
		_, err := minio.Open(t.Context(), "s3://bucket?region=us-east-1&endpoint="+endpoint, quiet)
		if took := time.Since(began); !errors.Is(err, upnext.ErrUnavailable) || took > 10*time.Second {
			t.Errorf("%s: %v after %v, want ErrUnavailable soon", name, err, took)
		}
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := minio.Open(ctx, "s3://bucket?region=us-east-1&endpoint="+silent.URL, quiet); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("silent: %v, want the context's error", err)
	}
}

func TestSignedURL(t *testing.T) {
	b := newBucket(t)
	b.put(t, "p/pic.jpg", "<script>")
	if u, err := b.open(t, "p", "").SignedURL(t.Context(), "pic.jpg", time.Minute); err != nil || u != "" {
		t.Errorf("without a public address: %q, %v, want none", u, err)
	}
	s := b.open(t, "p", "&public="+url.QueryEscape(b.endpoint))
	if got := s.SignedOrigin(); got != b.endpoint {
		t.Errorf("origin %s, want %s", got, b.endpoint)
	}
	u, err := s.SignedURL(t.Context(), "pic.jpg", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(u) //nolint:noctx // a browser
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || string(body) != "<script>" || resp.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d %q as %s, want the object as a picture", resp.StatusCode, body, resp.Header.Get("Content-Type"))
	}
	other, err := http.Get(strings.Replace(u, "pic.jpg", "pic.png", 1)) //nolint:noctx // a browser
	if err != nil {
		t.Fatal(err)
	}
	other.Body.Close()
	if other.StatusCode != http.StatusForbidden {
		t.Errorf("another key with the same signature: %d, want 403", other.StatusCode)
	}
	if _, err := s.SignedURL(t.Context(), "../x.jpg", time.Minute); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("bad key: %v, want ErrInvalid", err)
	}
}

// TestAnnounce sets the bucket's notifications twice, beside a rule of
// somebody else's. Which targets a server has is its own setting.
func TestAnnounce(t *testing.T) {
	b := newBucket(t)
	const arn = "arn:minio:sqs::UPNEXT:webhook"
	target, err := notification.NewArnFromString(arn)
	if err != nil {
		t.Fatal(err)
	}
	theirs := notification.NewConfig(target)
	theirs.AddEvents(notification.ObjectAccessedAll)
	theirs.AddFilterPrefix("other/")
	var rules notification.Configuration
	rules.AddQueue(theirs)
	if err := b.client.SetBucketNotification(t.Context(), b.name, rules); err != nil {
		t.Skipf("the server has no target %s: %v", arn, err)
	}
	s := b.open(t, "p", "")
	for range 2 {
		if err := s.Announce(t.Context(), arn, "catalogue/"); err != nil {
			t.Fatal(err)
		}
	}
	if rules, err = b.client.GetBucketNotification(t.Context(), b.name); err != nil || len(rules.QueueConfigs) != 2 {
		t.Fatalf("%d rules, %v, want theirs and ours", len(rules.QueueConfigs), err)
	}
	if err := s.Announce(t.Context(), "arn:minio:sqs::NOBODY:webhook", "x/"); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a target that is not there: %v, want ErrInvalid", err)
	}
	if err := s.Announce(t.Context(), "nonsense", "x/"); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("no ARN: %v, want ErrInvalid", err)
	}
}
