package ingest

import (
	"context"
	"fmt"
	"iter"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/ingest/itemjson"
)

// got is what reading an entry gave: an item whose keys are relative to the
// source, or why there is none. The id may be known all the same.
type got struct {
	item upnext.Item
	err  error
}

// items reads the items of entries, in their order. An error that is about the
// entry wraps ErrInvalid or ErrNotFound; with another one it ends.
func (s *source) items(ctx context.Context, entries []entry, schema upnext.Schema) iter.Seq2[entry, got] {
	if s.format == Folders {
		return func(yield func(entry, got) bool) {
			for i, g := range s.readFolders(ctx, entries, schema) {
				if !yield(entries[i], g) || g.err != nil && !ours(g.err) {
					return
				}
			}
		}
	}
	return func(yield func(entry, got) bool) {
		var sound []entry
		for _, e := range entries {
			if err := e.problem(); err == nil {
				sound = append(sound, e)
			} else if !yield(e, got{err: err}) {
				return
			}
		}
		n := 0
		for text, err := range s.texts(ctx, sound) {
			g := got{err: err}
			if err == nil {
				g.item, g.err = s.parse(sound[n], text, schema)
			} else if ours(err) {
				g.err = fmt.Errorf("%v: %w", err, upnext.ErrUnavailable) // the file, not the line
			}
			if !yield(sound[n], g) {
				return
			}
			n++
		}
	}
}

// readers is how many objects of a batch are read at once: a bucket answers
// each after a while, and many as soon as one.
const readers = 8

// readFolders reads the items of folders side by side.
func (s *source) readFolders(ctx context.Context, entries []entry, schema upnext.Schema) []got {
	all := make([]got, len(entries))
	var group errgroup.Group
	group.SetLimit(readers)
	for i, e := range entries {
		group.Go(func() error {
			g := got{err: e.problem()}
			if g.err == nil {
				g.item, g.err = s.readFolder(ctx, e, schema)
			}
			all[i] = g
			return nil
		})
	}
	_ = group.Wait() // each error is its entry's
	return all
}

// problem is what was wrong with the entry already when it was listed.
func (e entry) problem() error {
	if e.Cause == "" {
		return nil
	}
	return fmt.Errorf("%s: %w", e.Detail, upnext.ErrInvalid)
}

// parse reads the item of a line or row.
func (s *source) parse(e entry, text []byte, schema upnext.Schema) (upnext.Item, error) {
	switch s.format {
	case CSV:
		return s.headers[e.Key].parseRow(text, schema)
	case MovieLens:
		return s.movies.parse(text)
	}
	return itemjson.Decode(text, schema)
}
