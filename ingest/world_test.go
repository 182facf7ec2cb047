package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/index"
	"upnext/index/flat"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/ingest"
	"upnext/understand"
)

const tenant = upnext.DefaultTenant

// words is an encoder that is small enough to know what it does: each word
// moves the vector in a direction of its own. It keeps what it was given.
type words struct {
	mu   sync.Mutex
	seen []string
	each func(input embed.Input) // called for each input
	err  error
}

func (*words) Model() embed.Model { return embed.Model{ID: "words", Dim: embed.TextDim} }

func (w *words) Embed(_ context.Context, inputs ...embed.Input) ([][]float32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, w.err
	}
	vecs := make([][]float32, len(inputs))
	failed := map[int]error{}
	for i, in := range inputs {
		w.seen = append(w.seen, in.Text)
		if w.each != nil {
			w.each(in)
		}
		if vecs[i] = direction(strings.Fields(strings.ToLower(in.Text)), embed.TextDim); vecs[i] == nil {
			failed[i] = fmt.Errorf("no words: %w", upnext.ErrInvalid)
		}
	}
	if len(failed) > 0 {
		return vecs, &embed.PartialError{Failed: failed}
	}
	return vecs, nil
}

func (w *words) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

func direction(of []string, dim int) []float32 {
	if len(of) == 0 {
		return nil
	}
	sum := make([]float64, dim)
	for _, s := range of {
		h := fnv.New64a()
		_, _ = h.Write([]byte(s)) // a hash takes everything
		x := h.Sum64()
		for d := range sum {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			sum[d] += float64(int64(x)) / math.MaxInt64
		}
	}
	var n float64
	for _, x := range sum {
		n += x * x
	}
	vec := make([]float32, dim)
	for d, x := range sum {
		vec[d] = float32(x / math.Sqrt(n))
	}
	return vec
}

// looks is an encoder of pictures that knows their colour in the middle, and
// refuses those of more than 40 megapixels.
type looks struct{ count int }

func (*looks) Model() embed.Model { return embed.Model{ID: "looks", Dim: embed.ImageDim} }

func (l *looks) Embed(_ context.Context, inputs ...embed.Input) ([][]float32, error) {
	vecs := make([][]float32, len(inputs))
	failed := map[int]error{}
	for i, in := range inputs {
		l.count++
		c, _, err := image.DecodeConfig(bytes.NewReader(in.Image))
		if err == nil && c.Width*c.Height > 40_000_000 {
			err = fmt.Errorf("%d x %d pixels are too many", c.Width, c.Height)
		}
		var img image.Image
		if err == nil {
			img, _, err = image.Decode(bytes.NewReader(in.Image))
		}
		if err != nil {
			failed[i] = fmt.Errorf("picture: %v: %w", err, upnext.ErrInvalid)
			continue
		}
		r, g, b, _ := img.At(c.Width/2, c.Height/2).RGBA()
		vecs[i] = direction([]string{fmt.Sprint(r>>12, g>>12, b>>12)}, embed.ImageDim)
	}
	if len(failed) > 0 {
		return vecs, &embed.PartialError{Failed: failed}
	}
	return vecs, nil
}

// firstTag understands an item by its first tag.
type firstTag struct{}

func (firstTag) Model() string { return "first-tag" }

func (firstTag) Understand(_ context.Context, inputs ...understand.Input) ([]upnext.Understanding, error) {
	out := make([]upnext.Understanding, len(inputs))
	for i, in := range inputs {
		if len(in.Item.Tags) > 0 {
			out[i].Topics = []upnext.Label{{Value: in.Item.Tags[0], Confidence: .9, Model: "first-tag"}}
		}
	}
	return out, nil
}

// world is everything that a Pipeline and an Importer need, on the embedded engines.
type world struct {
	*ingest.Pipeline
	store   *sqlstore.Store
	text    *words
	image   *looks
	changes int
	path    string

	attempts int // of an import's steps
	buckets  func(ctx context.Context, t upnext.Tenant, bucket, key string) (blob.Store, error)
}

func newWorld(t testing.TB) *world {
	return openWorld(t, t.TempDir(), flat.New())
}

func openWorld(t testing.TB, path string, collections index.Collections) *world {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	store, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(path, "upnext.db"), logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorldOf(t, path, store, collections)
}

// newWorldOf is a world on a store that somebody else closes.
func newWorldOf(t testing.TB, path string, store *sqlstore.Store, collections index.Collections) *world {
	t.Helper()
	blobs, err := dir.Open(filepath.Join(path, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: store, text: &words{}, image: &looks{}, path: path}
	space, err := embed.NewSpace(w.text.Model(), w.image.Model(), embed.DefaultTextWeight)
	if err != nil {
		t.Fatal(err)
	}
	w.Pipeline = &ingest.Pipeline{
		Catalog: store.Catalog, Indexings: store.Indexings, Understandings: store.Understandings, Schemas: store.Schemas,
		Collections: collections, Blobs: blobs, Text: w.text, Image: w.image, Space: space, Understander: firstTag{},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), Now: time.Now, OnChange: func(upnext.Tenant) { w.changes++ },
	}
	return w
}

// importer starts an Importer that stops with the test.
func (w *world) importer(t testing.TB) *ingest.Importer {
	t.Helper()
	queue, err := jobs.Open(context.Background(), "sqlite:"+filepath.Join(w.path, "jobs.db"), w.Logger)
	if err != nil {
		t.Fatal(err)
	}
	w.OnChange = nil // called from several workers
	im, err := ingest.NewImporter(ingest.ImporterConfig{
		Pipeline: w.Pipeline, Imports: w.store.Imports, Events: w.store.Events, Viewers: w.store.Viewers, Queue: queue, Workers: 2, Attempts: w.attempts, Buckets: w.buckets})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- im.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := queue.Close(); err != nil {
			t.Error(err)
		}
	})
	return im
}

// bring imports a source and returns how it ended.
func bring(t testing.TB, im *ingest.Importer, req ingest.ImportRequest) upnext.Import {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	imp, err := im.Start(ctx, tenant, req)
	if err != nil {
		t.Fatal(err)
	}
	if imp, err = im.Wait(ctx, tenant, imp.ID); err != nil {
		t.Fatal(err)
	}
	return imp
}

// found returns the items nearest to some words, best first.
func (w *world) found(t testing.TB, query string, k int) []upnext.ItemID {
	t.Helper()
	_, in, err := w.Collections.Active(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	vec, err := w.Space.Query(direction(strings.Fields(strings.ToLower(query)), embed.TextDim))
	if err != nil {
		t.Fatal(err)
	}
	hits, err := in.Search(t.Context(), index.Query{Vectors: [][]float32{vec}, K: k})
	if err != nil {
		t.Fatal(err)
	}
	var ids []upnext.ItemID
	for _, h := range hits[0] {
		ids = append(ids, h.ID)
	}
	return ids
}

// failures are an import's dead letters as "stage cause key:line".
func failures(t testing.TB, w *world, id upnext.ImportID) []string {
	t.Helper()
	all, err := w.store.Imports.Failures(t.Context(), tenant, id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var some []string
	for _, f := range all {
		some = append(some, fmt.Sprintf("%s %s %s:%d", f.Stage, f.Cause, f.Key, f.Line))
	}
	return some
}

// write makes files below a folder.
func write(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// picture is a JPEG of one colour.
func picture(t testing.TB, c color.Color) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		img.Set(i%16, i/16, c)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
