package milvus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
	mostOver     = 512  // fetched besides, for hits that are laid over
	exactEntries = 4096 // as few as these are scored here, where the graph brings fewer than pass
)

// Search implements index.Index. One more than asked for is fetched, to see
// whether the last place is tied. Where fewer come back than pass, or a tie
// goes on, those vectors are looked up another way. What this process wrote
// lately is laid over.
func (x *Index) Search(ctx context.Context, q index.Query) ([][]index.Hit, error) {
	if err := x.check(ctx); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if err := q.Check(x.dim); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	expression, none := x.of.server.expression(x.key.tenant, bound(q), *x.fields.Load())
	if none || len(q.Vectors) == 0 {
		return make([][]index.Hit, len(q.Vectors)), nil
	}
	v := x.overlay.view(time.Now())
	found, err := x.stable(ctx, v, expression, q)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", x.key.name, err)
	}
	for i, asked := range q.Vectors {
		found[i] = v.lay(found[i], asked, q)
	}
	return found, nil
}

func bound(q index.Query) filter.Node { return q.Filter.Bind(q.Vars) }

// lay puts the recent entries that pass among the k best.
func (v view) lay(hits []index.Hit, asked []float32, q index.Query) []index.Hit {
	if len(v.recent) == 0 {
		return hits
	}
	hits = slices.Clone(hits)
	for _, e := range v.recent {
		if e.Vector != nil && q.Filter.Match(e.Fields, q.Vars) {
			hits = append(hits, index.Hit{ID: e.ID, Score: product(asked, e.Vector)})
		}
	}
	slices.SortFunc(hits, better)
	return hits[:min(q.K, len(hits))]
}

// stable finds the k best of what the view lays nothing over.
func (x *Index) stable(ctx context.Context, v view, expression string, q index.Query) ([][]index.Hit, error) {
	fetch := min(q.K+q.K/8+8+min(len(v.recent), mostOver), widest)
	answers, err := x.near(ctx, v, expression, q.Vectors, fetch)
	if err != nil {
		return nil, err
	}
	found := make([][]index.Hit, len(q.Vectors))
	var again []int
	for i, of := range answers {
		if of.whole(q.K) {
			found[i] = of.hits[:q.K]
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
	wider, err := x.wider(ctx, v, expression, vectors, q.K, fetch)
	if err != nil {
		return nil, err
	}
	for j, i := range again {
		found[i] = wider[j]
	}
	return found, nil
}

// answer is what the graph brought for one vector.
type answer struct {
	hits []index.Hit // best first, without what is laid over
	full bool        // the server had as many as it was asked for: there may be more
}

// whole reports whether it has k hits, and not a tie that may go on beyond it.
func (a answer) whole(k int) bool {
	return len(a.hits) >= k && (!a.full || a.hits[k-1].Score != a.hits[len(a.hits)-1].Score)
}

// near asks the graph.
func (x *Index) near(ctx context.Context, v view, expression string, vectors [][]float32, fetch int) ([]answer, error) {
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
			client.WithSearchQueryConsistencyLevel(v.level))
		return err
	})
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(vectors))
	for i := range min(len(results), len(answers)) {
		answers[i].full = results[i].ResultCount >= fetch
		if answers[i].hits, err = v.hitsOf(results[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// hitsOf puts an answer in our order: the servers' ties are in none.
func (v view) hitsOf(r client.SearchResult) ([]index.Hit, error) {
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
		if _, over := v.recent[id]; !over && !seen[id] {
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
func (x *Index) wider(ctx context.Context, v view, expression string, vectors [][]float32, k, fetch int) ([][]index.Hit, error) {
	few, err := x.few(ctx, v, expression)
	if err != nil {
		return nil, err
	}
	found := make([][]index.Hit, len(vectors))
	if few != nil {
		for i, asked := range vectors {
			found[i] = score(few, asked, k)
		}
		return found, nil
	}
	for {
		fetch = min(4*fetch, widest)
		answers, err := x.near(ctx, v, expression, vectors, fetch)
		if err != nil {
			return nil, err
		}
		done := true
		for i, of := range answers {
			found[i] = of.hits[:min(k, len(of.hits))]
			done = done && of.whole(k)
		}
		if done || fetch == widest {
			return found, nil
		}
	}
}

// few reads all that pass an expression; nil where they are more than a few.
func (x *Index) few(ctx context.Context, v view, expression string) ([]index.Entry, error) {
	rows, err := x.of.query(ctx, x.collection, expression, []string{"count(*)"}, v.level)
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
	entries, err := x.stored(ctx, v, expression)
	if entries == nil {
		entries = []index.Entry{}
	}
	return entries, err
}

// score finds the k best of entries.
func score(entries []index.Entry, asked []float32, k int) []index.Hit {
	hits := make([]index.Hit, 0, len(entries))
	seen := make(map[upnext.ItemID]bool, len(entries))
	for _, e := range entries {
		if !seen[e.ID] {
			seen[e.ID] = true
			hits = append(hits, index.Hit{ID: e.ID, Score: product(asked, e.Vector)})
		}
	}
	slices.SortFunc(hits, better)
	return hits[:min(k, len(hits))]
}

func product(a, b []float32) float32 {
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return float32(sum)
}
