package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/ingest"
)

// bucket is somebody's bucket: a folder, which counts what is read of it.
type bucket struct {
	blob.Store
	path string

	mu     sync.Mutex
	opened map[string]int
}

func newBucket(t testing.TB, files map[string]string) *bucket {
	t.Helper()
	b := &bucket{path: t.TempDir(), opened: map[string]int{}}
	write(t, b.path, files)
	store, err := dir.Open(b.path)
	if err != nil {
		t.Fatal(err)
	}
	b.Store = store
	return b
}

func (b *bucket) Open(ctx context.Context, key string, offset int64) (io.ReadCloser, blob.Info, error) {
	b.mu.Lock()
	b.opened[key]++
	b.mu.Unlock()
	return b.Store.Open(ctx, key, offset)
}

// reads returns how often a key was read since the last call.
func (b *bucket) reads(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.opened[key]
	delete(b.opened, key)
	return n
}

// only opens one bucket, below catalogue/, to the tenant of these tests.
func only(name string, b blob.Store) func(context.Context, upnext.Tenant, string, string) (blob.Store, error) {
	return func(_ context.Context, t upnext.Tenant, bucket, key string) (blob.Store, error) {
		if t != tenant || bucket != name || !strings.HasPrefix(key+"/", "catalogue/") {
			return nil, fmt.Errorf("bucket %s: not open: %w", bucket, upnext.ErrInvalid)
		}
		return b, nil
	}
}

func below(prefix string, files map[string]string) map[string]string {
	all := map[string]string{}
	for name, content := range files {
		all[prefix+name] = content
	}
	return all
}

func TestImportFromABucket(t *testing.T) {
	w := newWorld(t)
	b := newBucket(t, below("catalogue/", tree(t)))
	w.buckets = only("films", b)
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: "s3://films/catalogue/"})
	if imp.State != upnext.Succeeded || imp.Source != "s3://films/catalogue" || imp.Format != ingest.Folders || imp.Created != 4 || imp.Failed != 3 {
		t.Errorf("import: %+v, want succeeded, folders, 4 created, 3 failed", imp)
	}
	if got := w.found(t, "sourdough", 1); fmt.Sprint(got) != "[bread]" {
		t.Errorf("found %v, want bread by its transcript", got)
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "bread", "sea")
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		if _, err := w.Blobs.Stat(t.Context(), r.Item.Thumbnail); err != nil {
			t.Errorf("thumbnail of %s: %v, want a copy in our store", r.Item.ID, err)
		}
	}
	// A second import reads of the objects that it knows the item.json alone.
	seen := w.text.calls()
	b.reads("catalogue/bread/thumbnail.jpg")
	b.reads("catalogue/sea/art/cover.jpg")
	imp = bring(t, im, ingest.ImportRequest{Source: "s3://films/catalogue"})
	if imp.Unchanged != 4 || w.text.calls() != seen {
		t.Errorf("again: %+v, want 4 unchanged and no call to the encoder", imp)
	}
	if n := b.reads("catalogue/bread/thumbnail.jpg") + b.reads("catalogue/sea/art/cover.jpg"); n != 0 {
		t.Errorf("unchanged pictures were read %d times", n)
	}
	// What has changed is read, copied and embedded.
	if _, err := b.Put(t.Context(), "catalogue/bread/thumbnail.jpg", strings.NewReader(picture(t, color.RGBA{0, 255, 0, 255}))); err != nil {
		t.Fatal(err)
	}
	imp = bring(t, im, ingest.ImportRequest{Source: "s3://films/catalogue"})
	if imp.Updated != 1 || imp.Unchanged != 3 || b.reads("catalogue/bread/thumbnail.jpg") != 1 {
		t.Errorf("after a new picture: %+v, want 1 updated and one read", imp)
	}
}

func TestImportManifestsFromABucket(t *testing.T) {
	w := newWorld(t)
	w.buckets = only("films", newBucket(t, map[string]string{
		"catalogue/a.ndjson":   `{"id":"a","kind":"video","title":"anchor","thumbnail":"pics/a.jpg"}` + "\n",
		"catalogue/b.ndjson":   `{"id":"b","kind":"video","title":"breeze"}` + "\n",
		"catalogue/pics/a.jpg": picture(t, color.RGBA{255, 0, 0, 255}),
		"catalogue/csv/m.csv":  "id,kind,title\nc,video,coral\n",
	}))
	im := w.importer(t)
	if imp := bring(t, im, ingest.ImportRequest{Source: "s3://films/catalogue"}); imp.Format != ingest.NDJSON || imp.Created != 2 || len(imp.Causes) > 0 {
		t.Errorf("a prefix of manifests: %+v, want 2 created", imp)
	}
	if imp := bring(t, im, ingest.ImportRequest{Source: "s3://films/catalogue/csv/m.csv"}); imp.Format != ingest.CSV || imp.Created != 1 {
		t.Errorf("one manifest: %+v, want 1 created", imp)
	}
}

func TestImportMovieLensFromABucket(t *testing.T) {
	w := newWorld(t)
	w.buckets = only("films", newBucket(t, map[string]string{
		"catalogue/movies.dat":    "1::Toy Story (1995)::Animation\n2::Heat (1995)::Crime\n",
		"catalogue/ratings.dat":   "1::1::5::978300760\n",
		"catalogue/posters/1.jpg": picture(t, color.RGBA{255, 0, 0, 255}),
	}))
	if imp := bring(t, w.importer(t), ingest.ImportRequest{Source: "s3://films/catalogue"}); imp.Format != ingest.MovieLens || imp.Created != 2 || imp.Events != 1 || imp.State != upnext.Succeeded {
		t.Errorf("import: %+v, want two movies and an event", imp)
	}
}

// located is an object store in a bucket.
type located struct {
	blob.Store
	bucket, prefix string
}

func (l located) Location() (bucket, prefix string) { return l.bucket, l.prefix }

// TestSourceInOurOwnBucket checks that the object store is no way around the
// walls between tenants.
func TestSourceInOurOwnBucket(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.path, "bucket")
	write(t, path, map[string]string{"up/default/cat/a/item.json": `{"id":"a","kind":"video","title":"anchor"}`, "up/other/cat/b/item.json": `{"id":"b","kind":"video","title":"b"}`})
	whole, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	own, err := dir.Open(filepath.Join(path, "up"))
	if err != nil {
		t.Fatal(err)
	}
	w.Blobs = located{own, "http://host/films", "up/"}
	for name, open := range map[string]func(context.Context, upnext.Tenant, string, string) (blob.Store, error){
		"no list": nil,
		"not listed": func(context.Context, upnext.Tenant, string, string) (blob.Store, error) {
			return nil, fmt.Errorf("no: %w", upnext.ErrInvalid)
		},
		"listed": func(context.Context, upnext.Tenant, string, string) (blob.Store, error) {
			return located{whole, "http://host/films", ""}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.buckets = open
			im := w.importer(t)
			for _, s := range []string{"s3://films", "s3://films/up", "s3://films/up/other/cat", "s3://films/up/default/../other", "s3://films/upper/default"} {
				if _, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: s}); !errors.Is(err, upnext.ErrInvalid) {
					t.Errorf("%s: %v, want ErrInvalid", s, err)
				}
			}
			if imp := bring(t, im, ingest.ImportRequest{Source: "s3://films/up/default/cat"}); imp.Source != "blob:default/cat" || imp.Total != 1 {
				t.Errorf("our own prefix: %+v, want blob:default/cat and its item", imp)
			}
			if _, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: "s3://others/x"}); name != "listed" && !errors.Is(err, upnext.ErrInvalid) {
				t.Errorf("a bucket that is not open: %v, want ErrInvalid", err)
			}
		})
	}
}
