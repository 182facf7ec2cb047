// Package source finds candidates for a page. Each source is a file; each
// looks at the same Ask and brings what it would show, best first.
package source

import (
	"context"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/index"
	"upnext/serve/crowd"
	"upnext/serve/learned"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Ask is one request as sources see it. Sources must not change it.
type Ask struct {
	Now    time.Time
	Region string // where the viewer is; empty where that is not known
	Viewer *taste.State
	Topics shelf.Leanings // of the viewer: Viewer.ToTopic
	Shelf  *shelf.Shelf
	Crowd  *crowd.Crowd
	Index  index.Index // nil where the tenant has no collection yet
	Filter *filter.Filter
	Vars   filter.Vars
	Pass   func(*shelf.Item) bool // the guard: what fails it need not be brought
	Resume func(*shelf.Item) bool // the guard less what was seen: for what may be gone on with
	Visit  *taste.Visit           // what the present session says; nil where it says nothing
	Held   int                    // how many items the guard holds back beside the seen ones
	Wide   bool                   // look everywhere: the first look did not fill the page

	Wanted   []Wanted        // what the viewer has searched for lately
	Chances  Chances         // of items that few have met
	Like     []*shelf.Item   // what similar items are wanted for
	Likes    [][]float32     // their vectors, nil for what has none
	Unlikes  [][]float32     // vectors of what they shall not be like
	Strategy string          // "average" or "best_score"
	Learned  *learned.Asking // of the trained models; nil where there are none
	Query    string          // the text searched for
	Text     []float32       // its vector in the content space
}

// Candidate is an item that a source brings.
type Candidate struct {
	Item   *shelf.Item
	Score  float64     // comparable within its source only
	From   *shelf.Item // the item that led to it; nil where none did
	About  string      // the search that led to it; empty where none did
	Chance float64     // propensity: the probability that it was brought; 0 where nothing was left to chance
}

// Source is one way to find candidates. It is safe for concurrent use.
type Source interface {
	// Name is constant and unique; it is the provenance in answers.
	Name() string

	// Recall returns up to n items that pass, best first, each once. It is
	// deterministic: equal asks give equal answers.
	Recall(ctx context.Context, ask Ask, n int) ([]Candidate, error)
}

// depth is how many hits to ask an index for so that about n pass: what the
// viewer has seen lies near what they like, and is not shown again.
func (a Ask) depth(n int) int {
	k := n + n/2 + min(len(a.Viewer.Seen)+a.Held, 3*n)
	if a.Wide {
		k = 4*k + 200
	}
	return k
}

// reach is how many of a long list to look at so that n pass.
func (a Ask) reach(n int) int {
	if a.Wide {
		return int(^uint(0) >> 1)
	}
	return 10*n + len(a.Viewer.Seen) + a.Held
}

// enough is the recall of the sources of a page, which ask for the neighbours of
// many vectors: what one misses another brings, and of a hundred few are shown. The
// last tenth costs more than the others together.
const enough = 0.9

// search asks the index, for a recall (see index.Query), and puts the hits on the
// shelf: those that pass.
func (a Ask) search(ctx context.Context, k int, recall float64, vectors ...[]float32) ([][]Candidate, error) {
	hits, err := a.Index.Search(ctx, index.Query{Vectors: vectors, K: k, Filter: a.Filter, Vars: a.Vars, Recall: recall})
	if err != nil {
		return nil, err
	}
	found := make([][]Candidate, len(hits))
	for i, list := range hits {
		ids, hints := make([]upnext.ItemID, len(list)), make([]uint32, len(list))
		for j, h := range list {
			ids[j], hints[j] = h.ID, h.Hint
		}
		found[i] = make([]Candidate, 0, len(list))
		for j, it := range a.Shelf.Hinted(ids, hints) {
			if a.Pass(it) {
				found[i] = append(found[i], Candidate{Item: it, Score: float64(list[j].Score)})
			}
		}
	}
	return found, nil
}
