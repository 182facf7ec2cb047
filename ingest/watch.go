package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"upnext"
)

// act does what is to be done about a source, while no other process does.
func (w *Watcher) act(ctx context.Context, wd *watched, news map[string]bool, whole time.Time) error {
	if err := w.locate(ctx, wd); err != nil {
		return err
	}
	if w.Locks != nil {
		unlock, err := w.Locks.Lock(ctx, "watch "+string(wd.Tenant)+" "+wd.clean)
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		defer unlock()
	}
	switch {
	case whole.IsZero() && wd.format != "":
		return w.changes(ctx, wd, news)
	case len(news) > 0 || whole.IsZero():
		whole = w.Importer.Pipeline.Now() // an import that began before the news may have missed them
	}
	return w.pass(ctx, wd, whole)
}

// locate finds the name that imports of the source have, and asks for news.
func (w *Watcher) locate(ctx context.Context, wd *watched) error {
	if wd.clean == "" {
		p, _, err := w.Importer.locate(ctx, wd.Tenant, wd.place)
		if err != nil {
			return err
		}
		wd.clean = p.clean
	}
	if w.Announce == nil || wd.announced {
		return nil
	}
	prefix := wd.place.key
	if prefix != "" && path.Ext(prefix) == "" {
		prefix += "/"
	}
	if err := w.Announce(ctx, wd.Tenant, wd.place.bucket, prefix); err != nil {
		// The listings do without.
		w.Importer.Pipeline.Logger.Warn("a bucket's news could not be asked for", "source", wd.Source, "error", err)
		return nil
	}
	wd.announced = true
	return nil
}

// looked is how often the state of an import is looked at: it may be worked on
// by another process.
const looked = 200 * time.Millisecond

// pass sees that an import of the whole source that began at since or later
// comes to its end.
func (w *Watcher) pass(ctx context.Context, wd *watched, since time.Time) error {
	last, err := w.rest(ctx, wd)
	if err != nil {
		return err
	}
	if last.State == upnext.Succeeded && !last.QueuedAt.Before(since) {
		wd.format = last.Format
		return nil
	}
	if !sleep(ctx, time.Until(wd.quiet)) {
		return ctx.Err()
	}
	began := time.Now()
	imp, err := w.Importer.Start(ctx, wd.Tenant, ImportRequest{Source: wd.Source, Format: wd.Format, OnMissing: wd.OnMissing})
	if errors.Is(err, upnext.ErrInvalid) {
		// Nothing there yet, or not what was said: until there are news.
		w.Importer.Pipeline.Logger.Warn("a watched source cannot be imported", "source", wd.Source, "tenant", wd.Tenant, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	wd.format = imp.Format
	if last, err = w.rest(ctx, wd); err != nil {
		return err
	}
	wd.quiet = time.Now().Add(time.Since(began))
	if last.State == upnext.Broken {
		return fmt.Errorf("import %s: %s: %w", last.ID, last.Error, upnext.ErrUnavailable)
	}
	return nil
}

// rest waits until no import of the source runs, whoever started it, and
// returns the latest; the zero Import where there is none.
func (w *Watcher) rest(ctx context.Context, wd *watched) (upnext.Import, error) {
	for {
		all, err := w.Importer.Imports.ListImports(ctx, wd.Tenant, 100)
		if err != nil {
			return upnext.Import{}, err
		}
		all = slices.DeleteFunc(all, func(imp upnext.Import) bool { return imp.Source != wd.clean })
		if !slices.ContainsFunc(all, func(imp upnext.Import) bool { return !ended(imp.State) }) {
			if len(all) == 0 {
				return upnext.Import{}, nil
			}
			return all[0], nil
		}
		if !sleep(ctx, looked) {
			return upnext.Import{}, ctx.Err()
		}
	}
}

// changes takes in what the news are about and nothing else. No import is
// recorded of it: what cannot be taken is logged, and a dead letter of the next
// whole import.
func (w *Watcher) changes(ctx context.Context, wd *watched, news map[string]bool) error {
	// An import under way may have read what is older: it ends first.
	if _, err := w.rest(ctx, wd); err != nil {
		return err
	}
	if wd.format != Folders {
		for key := range news {
			// A manifest tells of items that it no longer has only as a whole. What
			// else lies there belongs to no item that its key would name.
			if key == "" || !strings.Contains(key, "/") && (wd.format == MovieLens || path.Ext(key) == "."+wd.format) {
				wd.want(w.Importer.Pipeline.Now())
				break
			}
		}
		return nil
	}
	s, err := w.Importer.openSource(ctx, wd.Tenant, wd.clean, wd.format)
	if errors.Is(err, upnext.ErrInvalid) {
		wd.want(w.Importer.Pipeline.Now()) // which says what is the matter
		return nil
	}
	if err != nil {
		return err
	}
	entries, gone, err := s.touched(ctx, news)
	if err == nil {
		err = w.bring(ctx, wd, s, entries)
	}
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	if gone && wd.OnMissing != upnext.KeepMissing {
		// Which item it was, only the comparison of all with all tells.
		wd.want(w.Importer.Pipeline.Now())
	}
	return nil
}

// bring takes entries of a source through the Pipeline, in its batches.
func (w *Watcher) bring(ctx context.Context, wd *watched, s *source, entries []entry) error {
	im := w.Importer
	for chunk := range slices.Chunk(entries, batchSize) {
		b := &batch{tenant: wd.Tenant, source: wd.clean, grow: true}
		letters, _, err := im.read(ctx, s, b, chunk)
		if err == nil {
			err = im.Pipeline.put(ctx, b)
		}
		if err != nil {
			return err
		}
		o := b.outcome(letters)
		im.Pipeline.Logger.Info("changes of a watched source taken in", "source", wd.clean, "tenant", wd.Tenant,
			"created", o.Created, "updated", o.Updated, "unchanged", o.Unchanged, "failed", o.Failed)
		for _, l := range append(letters, b.letters()...) {
			im.Pipeline.Logger.Warn("a changed object cannot be taken", "source", wd.clean, "tenant", wd.Tenant,
				"key", l.Key, "item", l.Item, "stage", l.Stage, "cause", l.Cause, "detail", l.Detail)
		}
	}
	return nil
}

// touched returns the folders of items that changed keys belong to, as they
// are now; gone says that one of them is a folder of an item no longer.
func (s *source) touched(ctx context.Context, news map[string]bool) (entries []entry, gone bool, err error) {
	seen := map[string]bool{}
	for key, removed := range news {
		dir, name := path.Split(key)
		e, err := s.folder(ctx, dir)
		// What is no part by its name may be named by an item.json: by the nearest.
		for !isPart(name) && err == nil && !slices.Contains(e.Parts, itemName) && dir != "" {
			dir, _ = path.Split(strings.TrimSuffix(dir, "/"))
			e, err = s.folder(ctx, dir)
		}
		switch {
		case err != nil:
			return nil, false, err
		case seen[dir]:
		case slices.Contains(e.Parts, itemName):
			seen[dir] = true
			entries = append(entries, e)
		case removed && name == itemName:
			gone = true
		}
		// Else the item.json is still to come, and with it news of its own.
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	return entries, gone, nil
}

// folder lists the parts of one folder, however much lies below it.
func (s *source) folder(ctx context.Context, dir string) (entry, error) {
	e := entry{Key: dir}
	for _, names := range [][]string{{commentsName}, {itemName}, thumbnailNames, transcriptNames} {
		stem, _, _ := strings.Cut(names[0], ".")
		n := 0
		for info, err := range s.files.List(ctx, dir+stem+".", "") {
			if err != nil {
				return e, err
			}
			if name := strings.TrimPrefix(info.Key, dir); slices.Contains(names, name) {
				e.Parts = append(e.Parts, name)
				if s.bucket != "" {
					e.ETags = append(e.ETags, info.ETag)
				}
			}
			if n++; n == 100 {
				break // whatever this is, it is no item's
			}
		}
	}
	return e, nil
}
