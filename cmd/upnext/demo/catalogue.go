// Package demo holds what `upnext demo` shows: a catalogue written for it, one
// item at a time, thumbnails drawn by code, and simulated viewers. It makes
// objects and events; importing and serving them is the program's usual path.
package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext/infra/blob"
)

//go:embed catalogue
var files embed.FS

// Item is what the demo needs to know of a catalogue item.
type Item struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Title     string `json:"title"`
	Language  string `json:"language"`
	CreatorID string `json:"creator_id"`
	SeriesID  string `json:"series_id"`
	Duration  int64  `json:"duration_ms"`
	MinAge    int    `json:"min_age"`
	Topic     string `json:"-"` // the second word of its id
}

// Items returns the bundled catalogue by id.
func Items() ([]Item, error) {
	entries, err := fs.ReadDir(files, "catalogue")
	if err != nil {
		return nil, fmt.Errorf("bundled catalogue: %w", err)
	}
	var items []Item
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		raw, err := files.ReadFile(path.Join("catalogue", e.Name(), "item.json"))
		if err != nil {
			return nil, fmt.Errorf("bundled catalogue: %w", err)
		}
		var it Item
		if err := json.Unmarshal(raw, &it); err != nil {
			return nil, fmt.Errorf("bundled catalogue: %s: %w", e.Name(), err)
		}
		words := strings.SplitN(it.ID, "-", 3)
		if it.ID != e.Name() || len(words) < 3 {
			return nil, fmt.Errorf("bundled catalogue: %s: id %q is not the folder's name", e.Name(), it.ID)
		}
		it.Topic = words[1]
		items = append(items, it)
	}
	return items, nil
}

// publishedWithin is how far back the bundled items are dated.
const publishedWithin = 120 * 24 * time.Hour

// published dates an item, by its id, to some moment before now.
func published(id string, now time.Time) time.Time {
	r := rand.New(rand.NewPCG(hash(id), 1))
	return now.Add(-time.Hour - time.Duration(r.Float64()*float64(publishedWithin))).UTC().Truncate(time.Minute)
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// Write puts the whole catalogue below prefix into the object store, as a
// content team would: a folder an item, with a drawn thumbnail and a date.
// It reports each item that is done, from several goroutines.
func Write(ctx context.Context, store blob.Store, prefix string, now time.Time, done func()) error {
	items, err := Items()
	if err != nil {
		return err
	}
	// Each object waits for the disk: several at a time wait together.
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, it := range items {
		group.Go(func() error {
			if err := writeItem(ctx, store, prefix, it, now); err != nil {
				return fmt.Errorf("write demo item %s: %w", it.ID, err)
			}
			done()
			return nil
		})
	}
	return group.Wait()
}

func writeItem(ctx context.Context, store blob.Store, prefix string, it Item, now time.Time) error {
	folder := path.Join("catalogue", it.ID)
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return err
	}
	put := func(name string, content []byte) error {
		_, err := store.Put(ctx, prefix+it.ID+"/"+name, bytes.NewReader(content))
		return err
	}
	picture, err := Thumbnail(it)
	if err != nil {
		return err
	}
	if err := put("thumbnail.jpg", picture); err != nil {
		return err
	}
	for _, e := range entries {
		raw, err := files.ReadFile(path.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		if e.Name() == "item.json" {
			var all map[string]any
			if err := json.Unmarshal(raw, &all); err != nil {
				return err
			}
			all["published_at"] = published(it.ID, now)
			if raw, err = json.Marshal(all); err != nil {
				return err
			}
		}
		if err := put(e.Name(), raw); err != nil {
			return err
		}
	}
	return nil
}
