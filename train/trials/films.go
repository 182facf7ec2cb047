package trials

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/embed"
	"upnext/ingest/passages"
	"upnext/learn"
	"upnext/train/datasets"
	"upnext/train/evals"
)

// fusedWeight is the text's share in the fused vectors of protocol cold. It was
// chosen on the cases to tune by.
const fusedWeight = .8

// filmVectors makes the content vectors of the set's items, films of MovieLens:
// "text" of title, genres and plot as ingest does, "image" of the poster, and
// "fused" of both.
func (t Trial) filmVectors(ctx context.Context, dir string, set datasets.Set) (map[string][][]float32, error) {
	if t.Text == nil || t.Image == nil {
		return nil, fmt.Errorf("no encoders of text and image given: %w", upnext.ErrInvalid)
	}
	ids, err := datasets.FilmIDs(dir)
	if err != nil {
		return nil, err
	}
	items := map[string]int{} // by the film's id
	for i, id := range set.IDs {
		items[ids[id]] = i
	}
	films, err := datasets.Films(dir)
	if err != nil {
		return nil, err
	}
	texts := make([][]passages.Passage, len(set.IDs))
	for _, f := range films {
		if i, ok := items[f.ID]; ok {
			texts[i] = passages.Cut(upnext.Item{Title: f.Title, Description: f.Plot, Tags: f.Genres}, "")
		}
	}
	v := map[string][][]float32{"fused": make([][]float32, len(texts))}
	e := evals.Evaluation{Text: t.Text, Progress: t.progress("texts")}
	if v["text"], err = e.Vectors(ctx, texts); err != nil {
		return nil, err
	}
	if v["image"], err = t.posters(ctx, dir, items); err != nil {
		return nil, err
	}
	space, err := embed.NewSpace(t.Text.Model(), t.Image.Model(), fusedWeight)
	if err != nil {
		return nil, err
	}
	for i := range v["fused"] {
		if v["text"][i] == nil && v["image"][i] == nil {
			continue
		}
		if v["fused"][i], err = space.Fuse(v["text"][i], v["image"][i]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// pictureBatch is how many pictures are embedded at once.
const pictureBatch = 16

// posters embeds the items' posters; a broken picture leaves its item without.
func (t Trial) posters(ctx context.Context, dir string, items map[string]int) ([][]float32, error) {
	pictures := map[int][]byte{}
	if err := datasets.Posters(dir, func(film string, picture []byte) error {
		if i, ok := items[film]; ok {
			pictures[i] = picture
		}
		return nil
	}); err != nil {
		return nil, err
	}
	order := slices.Sorted(maps.Keys(pictures))
	out := make([][]float32, len(items))
	progress := t.progress("posters")
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for some := range slices.Chunk(order, pictureBatch) {
		group.Go(func() error {
			inputs := make([]embed.Input, len(some))
			for k, i := range some {
				inputs[k].Image = pictures[i]
			}
			vectors, err := t.Image.Embed(ctx, inputs...)
			if partial := (*embed.PartialError)(nil); err != nil && !errors.As(err, &partial) {
				return fmt.Errorf("embed %d pictures: %w", len(inputs), err)
			}
			for k, i := range some {
				out[i] = vectors[k]
			}
			progress(int(done.Add(int64(len(some)))), len(order))
			return nil
		})
	}
	return out, group.Wait()
}

// progress tells Watch of what is done before any model is fitted. What it
// returns may be called by many.
func (t Trial) progress(of string) func(done, total int) {
	var mu sync.Mutex
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if t.Watch != nil {
			t.Watch(of, learn.Step{Phase: "embed", Done: done, Total: total})
		}
	}
}
