package evals

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"upnext/embed"
	"upnext/ingest/passages"
)

// batch is how many items a worker takes at once.
const batch = 16

// pooled is an item's vectors as ingest makes them.
type pooled struct {
	vec      []float32 // nil where there is nothing to embed
	passages [][]float32
	text     string
}

// Vectors are the vectors of items as ingest makes them of their passages; nil
// where there is nothing to embed. They are made on all processors.
func (e Evaluation) Vectors(ctx context.Context, items [][]passages.Passage) ([][]float32, error) {
	read, err := e.pool(ctx, items)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(read))
	for i := range read {
		out[i] = read[i].vec
	}
	return out, nil
}

// pool embeds and pools the passages of items, on all processors.
func (e Evaluation) pool(ctx context.Context, items [][]passages.Passage) ([]pooled, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := make([]pooled, len(items))
	var (
		next, done atomic.Int64
		mu         sync.Mutex
		first      error
		wg         sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				from := int(next.Add(batch)) - batch
				if from >= len(items) || ctx.Err() != nil {
					return
				}
				to := min(from+batch, len(items))
				err := e.poolBatch(ctx, items[from:to], out[from:to])
				mu.Lock()
				if err != nil && first == nil {
					first = err
					cancel()
				}
				if e.Progress != nil {
					e.Progress(int(done.Add(int64(to-from))), len(items))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if first == nil {
		first = ctx.Err()
	}
	return out, first
}

// poolBatch embeds the passages of a few items together.
func (e Evaluation) poolBatch(ctx context.Context, items [][]passages.Passage, out []pooled) error {
	var inputs []embed.Input
	for _, item := range items {
		for _, p := range item {
			inputs = append(inputs, embed.Input{Text: p.Text})
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	vectors, err := e.Text.Embed(ctx, inputs...)
	if partial := (*embed.PartialError)(nil); err != nil && !errors.As(err, &partial) {
		return fmt.Errorf("embed %d passages: %w", len(inputs), err)
	}
	for i, item := range items {
		weights := make([]float32, len(item))
		for k, p := range item {
			weights[k] = p.Weight
			out[i].text += p.Text + "\n"
		}
		out[i].passages, vectors = vectors[:len(item)], vectors[len(item):]
		// Nothing to pool leaves the item without a vector, which is no error here.
		if vec, err := embed.Pool(out[i].passages, weights); err == nil {
			out[i].vec = vec
		}
	}
	return nil
}

// neighbours returns, for each of the queries, the k nearest of the items but
// itself, by exact comparison with all; ties go to the earlier item.
func neighbours(items []pooled, queries []int, k int) [][]int {
	out := make([][]int, len(queries))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				q := int(next.Add(1)) - 1
				if q >= len(queries) {
					return
				}
				out[q] = nearest(items, queries[q], k)
			}
		})
	}
	wg.Wait()
	return out
}

func nearest(items []pooled, query, k int) []int {
	if items[query].vec == nil {
		return nil
	}
	var ids []int
	var scores []float32
	for i, item := range items {
		if i == query || item.vec == nil {
			continue
		}
		score := dot(items[query].vec, item.vec)
		if len(ids) == k && score <= scores[k-1] {
			continue
		}
		if len(ids) < k {
			ids, scores = append(ids, 0), append(scores, 0)
		}
		at := len(ids) - 1
		for ; at > 0 && scores[at-1] < score; at-- {
			ids[at], scores[at] = ids[at-1], scores[at-1]
		}
		ids[at], scores[at] = i, score
	}
	return ids
}

// dot adds up in four lanes, which the processor runs side by side.
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
	return s0 + s1 + s2 + s3
}
