// Package flat is the exact reference of vector search: float32 vectors in
// memory, every one looked at. It is what other engines are measured against,
// and fit for tests; nothing of it survives the process.
package flat

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"upnext"
	"upnext/index"
)

var _ index.Index = (*Index)(nil)

// Index is one collection in memory.
type Index struct {
	dim int

	mu      sync.RWMutex
	entries []index.Entry // without gaps, in no order
	at      map[upnext.ItemID]int
	dropped bool
}

func newIndex(dim int) *Index {
	return &Index{dim: dim, at: map[upnext.ItemID]int{}}
}

// Upsert implements index.Index. It keeps copies of vectors and shares Fields.
func (x *Index) Upsert(ctx context.Context, entries ...index.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := e.Check(x.dim); err != nil {
			return fmt.Errorf("upsert: %w", err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dropped {
		return errDropped
	}
	for _, e := range entries {
		e.Vector = slices.Clone(e.Vector)
		if i, ok := x.at[e.ID]; ok {
			x.entries[i] = e
			continue
		}
		x.at[e.ID] = len(x.entries)
		x.entries = append(x.entries, e)
	}
	return nil
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids ...upnext.ItemID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dropped {
		return errDropped
	}
	for _, id := range ids {
		i, ok := x.at[id]
		if !ok {
			continue
		}
		last := len(x.entries) - 1
		x.entries[i] = x.entries[last]
		x.at[x.entries[i].ID] = i
		x.entries[last] = index.Entry{}
		x.entries = x.entries[:last]
		delete(x.at, id)
	}
	return nil
}

// Search implements index.Index. The filter's Match is all there is, so that
// what comes back passes it exactly.
func (x *Index) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := q.Check(x.dim); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.dropped {
		return nil, errDropped
	}
	found := make([][]index.Hit, len(q.Vectors))
	for _, e := range x.entries {
		if q.Filter != nil && !q.Filter.Match(e.Fields, q.Vars) {
			continue
		}
		for i, v := range q.Vectors {
			found[i] = insert(found[i], q.K, index.Hit{ID: e.ID, Score: dot(v, e.Vector)})
		}
	}
	return found, nil
}

// better orders hits best first, ties to the smaller id.
func better(a, b index.Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// insert puts h at its place among the k best.
func insert(best []index.Hit, k int, h index.Hit) []index.Hit {
	if len(best) == k {
		if better(h, best[k-1]) >= 0 {
			return best
		}
		best = best[:k-1]
	}
	i, _ := slices.BinarySearchFunc(best, h, better)
	return slices.Insert(best, i, h)
}

// dot is the inner product of two vectors of one length. Four sums, because
// one would wait for each addition.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// Vectors implements index.Index.
func (x *Index) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.dropped {
		return nil, errDropped
	}
	vectors := make([][]float32, len(ids))
	for i, id := range ids {
		if at, ok := x.at[id]; ok {
			vectors[i] = x.entries[at].Vector
		}
	}
	return vectors, nil
}

// All implements index.Index, as of the moment of the call.
func (x *Index) All(ctx context.Context) iter.Seq2[upnext.ItemID, error] {
	return func(yield func(upnext.ItemID, error) bool) {
		x.mu.RLock()
		dropped := x.dropped
		ids := make([]upnext.ItemID, len(x.entries))
		for i, e := range x.entries {
			ids[i] = e.ID
		}
		x.mu.RUnlock()
		if dropped {
			yield("", errDropped)
			return
		}
		for _, id := range ids {
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
