package rabitq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"

	"upnext"
	"upnext/filter"
	"upnext/index"
)

var (
	_ index.Index  = (*collection)(nil)
	_ index.Copier = (*collection)(nil)
)

// collection is one collection's Index. Writers wait for one another at writing;
// readers share mu, which a writer takes for some microseconds at a time.
type collection struct {
	dir    string
	logger *slog.Logger

	queue   sync.Mutex // guards waiting
	waiting *group     // the calls that the next writer takes along

	writing    sync.Mutex // held while the log is written and the state changed
	log        *wal
	generation uint64 // of the log and of its snapshot

	mu     sync.RWMutex // guards state and gone
	state  *state
	gone   error // why nothing is answered any more
	unused sync.Pool
}

// group is the calls that are written and synced together.
type group struct {
	operations []*operation
	records    [][]byte
	done       bool
	err        error
}

// Upsert implements index.Index.
func (c *collection) Upsert(ctx context.Context, entries ...index.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := e.Check(c.dim()); err != nil {
			return fmt.Errorf("upsert: %w", err)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return c.change(&operation{entries: entries})
}

// Delete implements index.Index.
func (c *collection) Delete(ctx context.Context, ids ...upnext.ItemID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	return c.change(&operation{deletes: ids})
}

// Search implements index.Index.
func (c *collection) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := q.Check(c.dim()); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var tree filter.Node
	if q.Filter != nil {
		tree = q.Filter.Bind(q.Vars)
	}
	return c.searchTree(q.Vectors, q.K, q.Recall, tree)
}

// searchTree is Search with the filter's tree, nil for none.
func (c *collection) searchTree(vectors [][]float32, k int, recall float64, tree filter.Node) ([][]index.Hit, error) {
	x := c.room()
	defer c.unused.Put(x)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone != nil {
		return nil, c.gone
	}
	s := c.state
	pass, count := s.alive, s.live
	if tree != nil {
		p := predicate{columns: s.columns, sets: &x.sets, slots: s.used, scan: s.kernel.scanKeys}
		pass = p.passing(tree)
		pass.and(s.alive)
		count = pass.count()
	}
	return s.answer(x, vectors, k, recall, pass, count), nil
}

// room is scratch, to be put back into unused.
func (c *collection) room() *scratch {
	if x, ok := c.unused.Get().(*scratch); ok {
		return x
	}
	return &scratch{}
}

// Vectors implements index.Index. It returns copies: the vectors themselves
// are mapped memory that the next upsert overwrites.
func (c *collection) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone != nil {
		return nil, c.gone
	}
	dim := c.state.spec.Dim
	vectors := make([][]float32, len(ids))
	for i, id := range ids {
		if slot, ok := c.state.slot[id]; ok {
			vectors[i] = slices.Clone(c.state.vector(slot)[:dim])
		}
	}
	return vectors, nil
}

// CopyVectors implements index.Copier.
func (c *collection) CopyVectors(ctx context.Context, room []float32, ids ...upnext.ItemID) ([][]float32, []float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, room, err
	}
	dim, vectors := c.dim(), make([][]float32, len(ids))
	room = sized(room, dim*len(ids))
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone != nil {
		return nil, room, c.gone
	}
	for i, id := range ids {
		if slot, ok := c.state.slot[id]; ok {
			vectors[i] = room[i*dim : (i+1)*dim : (i+1)*dim]
			copy(vectors[i], c.state.vector(slot))
		}
	}
	return vectors, room, nil
}

// Products implements index.Scorer.
func (c *collection) Products(ctx context.Context, queries [][]float32, ids ...upnext.ItemID) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, q := range queries {
		if len(q) != c.dim() {
			return nil, fmt.Errorf("query %d has %d components, not %d: %w", i, len(q), c.dim(), upnext.ErrInvalid)
		}
	}
	x := c.room()
	defer c.unused.Put(x)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone != nil {
		return nil, c.gone
	}
	return c.state.products(x, queries, ids), nil
}

// All implements index.Index, as of the moment of the call.
func (c *collection) All(ctx context.Context) iter.Seq2[upnext.ItemID, error] {
	return func(yield func(upnext.ItemID, error) bool) {
		c.mu.RLock()
		gone := c.gone
		var ids []upnext.ItemID
		if gone == nil {
			ids = slices.Clone(c.state.ids)
		}
		c.mu.RUnlock()
		if gone != nil {
			yield("", gone)
			return
		}
		for _, id := range ids {
			if id == "" {
				continue // a free slot
			}
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(id, nil) {
				return
			}
		}
	}
}

// dim never changes.
func (c *collection) dim() int { return c.state.spec.Dim }

// info describes the collection; its name and standing are others' to know.
func (c *collection) info() index.Info {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return index.Info{Spec: c.state.spec, Len: c.state.live}
}

// change makes an operation durable, then visible. Calls that come while
// another is being written wait, and the first of them writes for all.
func (c *collection) change(o *operation) error {
	c.mu.RLock()
	o.columns = c.state.names
	c.mu.RUnlock()
	record := o.encode()
	if len(record) > maxFrame {
		return fmt.Errorf("change of %d bytes at once, %d allowed: %w", len(record), maxFrame, upnext.ErrInvalid)
	}
	c.queue.Lock()
	g := c.waiting
	if g == nil {
		g = &group{}
		c.waiting = g
	}
	g.operations = append(g.operations, o)
	g.records = append(g.records, record)
	c.queue.Unlock()

	c.writing.Lock()
	defer c.writing.Unlock()
	if !g.done {
		c.queue.Lock()
		c.waiting = nil // who comes now waits for the next
		c.queue.Unlock()
		g.err = c.write(g)
		g.done = true
	}
	return g.err
}

// write logs a group and applies it. c.writing is held.
func (c *collection) write(g *group) error {
	if c.gone != nil {
		return c.gone
	}
	entries := 0
	for _, o := range g.operations {
		entries += len(o.entries)
	}
	// Place first: after the log was written nothing may fail.
	if err := c.state.reserve(entries, &c.mu); err != nil {
		return fmt.Errorf("index %s: %w: %w", c.dir, err, upnext.ErrUnavailable)
	}
	if err := c.log.append(g.records); err != nil {
		return fmt.Errorf("index %s: %w", c.dir, err)
	}
	recoded := false
	for _, o := range g.operations {
		c.state.apply(o, &c.mu)
		recoded = c.state.recode(&c.mu) || recoded
	}
	if recoded {
		c.logger.Info("index coded", "dir", c.dir, "entries", c.state.live, "cells", len(c.state.codes.cells.lists), "efforts", c.state.codes.efforts)
	}
	if recoded || c.log.size > c.longestLog() {
		// The change itself is safe; a snapshot that did not come off is tried
		// again with the next one.
		if err := c.checkpoint(); err != nil {
			c.logger.Error("index snapshot failed", "dir", c.dir, "error", err)
		}
	}
	return nil
}

// longestLog is the size at which a log gives way to a snapshot: in proportion
// to the data, so that each byte is written a bounded number of times.
func (c *collection) longestLog() int64 {
	return max(c.state.limits.log, int64(c.state.used)*int64(c.state.stride))
}

// widen adds the spec's fields to the columns.
func (c *collection) widen(spec index.Spec) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.gone != nil {
		return c.gone
	}
	wide, err := c.state.spec.Widen(spec)
	if err != nil {
		return err
	}
	if sameFields(wide, c.state.spec) {
		return nil
	}
	if err := writeSpec(c.dir, wide); err != nil {
		return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.widen(wide)
	return nil
}

// close lets the files go. Later calls get why; the changes are safe already,
// and a snapshot spares the next start the replay of a long log.
func (c *collection) close(why error, snapshot bool) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	was := c.gone
	c.gone = why // from here on no reader comes in
	c.mu.Unlock()
	if was != nil {
		return nil
	}
	var err error
	if snapshot && c.log.broken == nil && c.log.size > 1<<20 {
		err = c.checkpoint()
	}
	return errors.Join(err, c.log.file.Close(), c.state.close())
}

func (s *state) close() error {
	return errors.Join(s.vectors.release(), s.rows.release(), s.vectors.file.Close(), s.rows.file.Close())
}
