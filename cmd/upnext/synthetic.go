package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"strings"

	"golang.org/x/sync/errgroup"

	"upnext/bench"
	"upnext/infra/blob"
)

// synthetic is a made-up catalogue: the same seed and number give the same
// items. Its lines are divided over manifests, so that none is held whole.
type synthetic struct {
	seed     uint64
	items    int
	pictures float64 // share of the items that have one
	prefix   string  // of its objects' keys, with a slash at its end
}

const (
	linesAtOnce   = 5000 // in a manifest
	writersAtOnce = 8    // pictures written side by side: an object store answers each after a while
)

// syntheticLine is an item as its manifest has it.
type syntheticLine struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	CreatorID   string   `json:"creator_id"`
	DurationMS  int      `json:"duration_ms"`
	Thumbnail   string   `json:"thumbnail,omitempty"`
}

// id names item n.
func (s synthetic) id(n int) string { return fmt.Sprintf("bench-%d-%07d", s.seed, n) }

// item makes item n, alike in whatever order they are made.
func (s synthetic) item(n int) (line syntheticLine, r *rand.Rand) {
	r = rand.New(rand.NewPCG(s.seed, uint64(n)))
	w := bench.NewWords(r)
	line = syntheticLine{
		ID: s.id(n), Kind: []string{"video", "short", "music", "live"}[r.IntN(4)], Title: strings.Join(w.Some(3, 7), " "),
		Description: strings.Join(w.Some(20, 60), " "), Tags: w.Some(1, 4), CreatorID: fmt.Sprintf("creator-%d", r.IntN(1000)),
		DurationMS: 10_000 + r.IntN(3_600_000),
	}
	if r.Float64() < s.pictures {
		line.Thumbnail = fmt.Sprintf("pictures/%07d.jpg", n)
	}
	return line, r
}

// write puts the objects in a store; step is called after each item. It holds
// one manifest and a few pictures at a time.
func (s synthetic) write(ctx context.Context, store blob.Store, step func()) error {
	group, work := errgroup.WithContext(ctx)
	group.SetLimit(writersAtOnce)
	var manifest bytes.Buffer
	lines := json.NewEncoder(&manifest)
	for n := 0; n < s.items && work.Err() == nil; n++ {
		line, r := s.item(n)
		if err := lines.Encode(line); err != nil {
			return err
		}
		if key := line.Thumbnail; key != "" {
			group.Go(func() error { return s.put(work, store, key, picture(r)) })
		}
		if (n+1)%linesAtOnce == 0 || n+1 == s.items {
			if err := s.put(work, store, s.manifest(n), manifest.Bytes()); err != nil {
				group.Go(func() error { return err })
				break
			}
			manifest.Reset()
		}
		step()
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("write synthetic items: %w", err)
	}
	return ctx.Err()
}

// manifest is the key of the one with item n; they come before the pictures.
func (s synthetic) manifest(n int) string { return fmt.Sprintf("items-%05d.ndjson", n/linesAtOnce) }

func (s synthetic) put(ctx context.Context, store blob.Store, key string, content []byte) error {
	_, err := store.Put(ctx, s.prefix+key, bytes.NewReader(content))
	return err
}

// remove takes the objects away again, also those of a write that was cut off.
func (s synthetic) remove(ctx context.Context, store blob.Store) error {
	group, work := errgroup.WithContext(ctx)
	group.SetLimit(writersAtOnce)
	for info, err := range store.List(work, s.prefix, "") {
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		group.Go(func() error { return store.Delete(work, info.Key) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("remove synthetic items: %w", err)
	}
	return ctx.Err()
}

// picture draws coloured rectangles that no other item has, 320 by 180.
func picture(r *rand.Rand) []byte {
	canvas := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for range 12 {
		x, y := r.IntN(320), r.IntN(180)
		shade := color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255}
		draw.Draw(canvas, image.Rect(x-r.IntN(160), y-r.IntN(90), x+r.IntN(160), y+r.IntN(90)), image.NewUniform(shade), image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, canvas, nil) // a buffer takes all
	return b.Bytes()
}
