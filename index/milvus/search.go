package milvus

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/filter"
	"upnext/index"
)

const (
	widest       = 16384 // hits of one search: the server's limit
	leastEffort  = 200   // ef of HNSW: how many nodes a search keeps
	mostEffort   = 32768
	exactEntries = 4096 // as few as these are scored here, where the graph brings fewer than pass
)

// Search implements index.Index. One more than asked for is fetched, to see
// whether the last place is tied. Where fewer come back than pass, or a tie
// goes on, those vectors are looked up another way.
func (x *Index) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	if err := x.check(ctx); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if err := q.Check(x.dim); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	expression, none := x.of.server.expression(x.key.tenant, bound(q), *x.fields.Load())
	found := make([][]index.Hit, len(q.Vectors))
	if none || len(q.Vectors) == 0 {
		return found, nil
	}
	fetch := min(q.K+q.K/8+8, widest)
	answers, err := x.near(ctx, expression, q.Vectors, fetch)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", x.key.name, err)
	}
	var again []int
	for i, hits := range answers {
		if whole(hits, q.K, fetch) {
			found[i] = hits[:q.K]
		} else {
			again = append(again, i)
		}
	}
	if len(again) == 0 {
		return found, nil
	}
	vectors := make([][]float32, len(again))
	for j, i := range again {
		vectors[j] = q.Vectors[i]
	}
	wider, err := x.wider(ctx, expression, vectors, q.K, fetch)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", x.key.name, err)
	}
	for j, i := range again {
		found[i] = wider[j]
	}
	return found, nil
}

func bound(q index.Query) filter.Node { return q.Filter.Bind(q.Vars) }

// whole reports whether hits have k, and not a tie that may go on beyond them.
func whole(hits []index.Hit, k, fetched int) bool {
	if len(hits) < k {
		return false
	}
	return len(hits) < fetched || k < len(hits) && hits[k-1].Score != hits[len(hits)-1].Score || fetched == widest
}

// near asks the graph.
func (x *Index) near(ctx context.Context, expression string, vectors [][]float32, fetch int) ([][]index.Hit, error) {
	params, err := entity.NewIndexHNSWSearchParam(min(max(2*fetch, leastEffort), mostEffort))
	if err != nil {
		return nil, fmt.Errorf("effort: %w: %w", upnext.ErrInvalid, err)
	}
	asked := make([]entity.Vector, len(vectors))
	for i, v := range vectors {
		asked[i] = entity.FloatVector(v)
	}
	var results []client.SearchResult
	err = x.of.read(ctx, "search", x.collection, func(ctx context.Context) (err error) {
		results, err = x.of.client.Search(ctx, x.collection, nil, expression, nil, asked, columnVector, entity.IP, fetch, params,
			client.WithSearchQueryConsistencyLevel(x.level()))
		return err
	})
	if err != nil {
		return nil, err
	}
	answers := make([][]index.Hit, len(vectors))
	for i := range min(len(results), len(answers)) {
		if answers[i], err = hitsOf(results[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// hitsOf puts an answer in our order: the servers' ties are in none.
func hitsOf(r client.SearchResult) ([]index.Hit, error) {
	if r.Err != nil {
		return nil, fmt.Errorf("answer: %w: %w", upnext.ErrUnavailable, r.Err)
	}
	if r.ResultCount == 0 {
		return nil, nil
	}
	pks, is := r.IDs.(*entity.ColumnVarChar)
	if !is || pks.Len() != len(r.Scores) {
		return nil, fmt.Errorf("answer without keys: %w", upnext.ErrUnavailable)
	}
	hits := make([]index.Hit, 0, len(r.Scores))
	seen := make(map[upnext.ItemID]bool, len(r.Scores))
	for i, pk := range pks.Data() {
		id, err := idOf(pk)
		if err != nil {
			return nil, err
		}
		if !seen[id] {
			seen[id] = true
			hits = append(hits, index.Hit{ID: id, Score: r.Scores[i]})
		}
	}
	slices.SortFunc(hits, better)
	return hits, nil
}

func better(a, b index.Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// wider answers where the graph's answer was short or tied at its end: by
// scoring all that pass where they are few, by a search of more where not.
func (x *Index) wider(ctx context.Context, expression string, vectors [][]float32, k, fetch int) ([][]index.Hit, error) {
	few, err := x.few(ctx, expression)
	if err != nil {
		return nil, err
	}
	answers := make([][]index.Hit, len(vectors))
	if few != nil {
		for i, v := range vectors {
			answers[i] = score(few, v, k)
		}
		return answers, nil
	}
	for {
		fetch = min(4*fetch, widest)
		if answers, err = x.near(ctx, expression, vectors, fetch); err != nil {
			return nil, err
		}
		done := true
		for _, hits := range answers {
			done = done && whole(hits, k, fetch)
		}
		if done || fetch == widest {
			break
		}
	}
	for i := range answers {
		answers[i] = answers[i][:min(k, len(answers[i]))]
	}
	return answers, nil
}

// few reads all that pass an expression; nil where they are more than a few.
func (x *Index) few(ctx context.Context, expression string) ([]index.Entry, error) {
	var rows client.ResultSet
	err := x.of.read(ctx, "count", x.collection, func(ctx context.Context) (err error) {
		rows, err = x.of.client.Query(ctx, x.collection, nil, expression, []string{"count(*)"}, client.WithSearchQueryConsistencyLevel(x.level()))
		return err
	})
	if err != nil {
		return nil, err
	}
	n, err := rows.GetColumn("count(*)").GetAsInt64(0)
	if err != nil {
		return nil, fmt.Errorf("count: %w: %w", upnext.ErrUnavailable, err)
	}
	if n > exactEntries {
		return nil, nil
	}
	entries, err := x.stored(ctx, expression)
	if entries == nil {
		entries = []index.Entry{}
	}
	return entries, err
}

// score finds the k best of entries.
func score(entries []index.Entry, v []float32, k int) []index.Hit {
	hits := make([]index.Hit, 0, len(entries))
	seen := make(map[upnext.ItemID]bool, len(entries))
	for _, e := range entries {
		if seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		var product float64
		for i, x := range e.Vector {
			product += float64(x) * float64(v[i])
		}
		hits = append(hits, index.Hit{ID: e.ID, Score: float32(product)})
	}
	slices.SortFunc(hits, better)
	return hits[:min(k, len(hits))]
}
