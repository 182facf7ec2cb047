package ingest

import (
	"context"
	"fmt"
	"iter"

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
			for _, e := range entries {
				g := got{err: e.problem()}
				if g.err == nil {
					g.item, g.err = s.readFolder(ctx, e, schema)
				}
				if !yield(e, g) || g.err != nil && !ours(g.err) {
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
