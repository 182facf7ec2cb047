package serve

import (
	"context"
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"

	"upnext/serve/source"
)

// keptQueries is how many vectors of texts are kept: a viewer's last searches are
// asked for with each of their pages, and many search for the same.
const keptQueries = 4096

// queryKey names a text in a collection, and does not tell it.
type queryKey struct {
	collection string
	text       [sha256.Size]byte
}

func newQueries() *lru.Cache[queryKey, []float32] {
	kept, err := lru.New[queryKey, []float32](keptQueries)
	if err != nil {
		panic(err) // a size below one
	}
	return kept
}

// vectorOf makes a text's vector, by the encoders of the collection that answers;
// nil where there is nothing to read in it.
func (r *Recommender) vectorOf(ctx context.Context, q *asked, text string) ([]float32, error) {
	key := queryKey{q.collection, sha256.Sum256([]byte(text))}
	if v, ok := r.queries.Get(key); ok {
		return v, nil
	}
	v, err := ask(ctx, r.engines.encoder, half(ctx, r.Settings.encoderPatience()), func(ctx context.Context) ([]float32, error) {
		return r.Query(ctx, q.collection, text)
	})
	if err == nil {
		r.queries.Add(key, v)
	}
	return v, err
}

// recallSearches reads the vectors of what the viewer searched for lately. What has
// none is looked for by its words.
func (r *Recommender) recallSearches(ctx context.Context, q *asked) {
	for _, made := range source.Lately(q.viewer.state, q.now) {
		w := source.Wanted{Searched: made}
		if r.Query != nil && q.ask.Index != nil {
			var err error
			if w.Vector, err = r.vectorOf(ctx, q, made.Query); err != nil {
				q.degrade("searched", err)
			}
		}
		q.ask.Wanted = append(q.ask.Wanted, w)
	}
}

// readQuery makes the query's vector, by the encoders of the collection that
// answers: another one's would point anywhere. Without it the words still find.
func (r *Recommender) readQuery(ctx context.Context, q *asked) {
	if r.Query == nil || q.ask.Index == nil {
		return
	}
	vector, err := r.vectorOf(ctx, q, q.req.Query)
	if err != nil {
		q.degrade("meaning", err)
		return
	}
	q.ask.Text = vector
}
