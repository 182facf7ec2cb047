package sequence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
)

// GRU is the classic form: the items' vectors go through a gated recurrent unit
// (Cho et al. 2014) and a dense layer to a softmax over all items, whose vectors
// are those that go in (Hidasi and Karatzoglou 2018 with tied vectors and the
// full cross-entropy). The dense layer's output is normalised: without that the
// logits begin near 0 and take many epochs to grow. Sizes of 0 are the defaults.
type GRU struct {
	Dim     int     // numbers of an item's vector; 64
	Hidden  int     // of the state; 128
	Length  int     // acts that it looks back; 200
	Dropout float64 // share of numbers dropped while it is fitted; 0 drops none
	Training
}

var _ learn.Fitter = GRU{}

// Name implements learn.Fitter.
func (GRU) Name() string { return "gru" }

// Fit implements learn.Fitter.
func (g GRU) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	net, err := g.network(log.Items)
	if err != nil {
		return nil, fmt.Errorf("fit gru: %w", err)
	}
	m, err := g.fit(ctx, net, log, watch)
	if err != nil {
		return nil, fmt.Errorf("fit gru: %w", err)
	}
	return m, nil
}

func (g GRU) network(items int) (*gru, error) {
	n := &gru{level: kernel.Best(), items: items, d: or(g.Dim, 64), hidden: or(g.Hidden, 128), length: or(g.Length, 200), rate: g.Dropout}
	if n.d < 1 || n.hidden < 1 || n.length < 1 || !(g.Dropout >= 0 && g.Dropout < .95) {
		return nil, fmt.Errorf("%d numbers, %d hidden, length %d, dropout %v: %w", n.d, n.hidden, n.length, g.Dropout, upnext.ErrInvalid)
	}
	l := &n.lay
	n.in, n.inBias = l.matrix("in", n.d, 3*n.hidden), l.vector("in_bias", 3*n.hidden)
	n.on, n.onBias = l.matrix("on", n.hidden, 3*n.hidden), l.vector("on_bias", 3*n.hidden)
	n.dense, n.denseBias = l.matrix("dense", n.hidden, n.d), l.vector("dense_bias", n.d)
	n.gain, n.shift = l.vector("gain", n.d), l.vector("shift", n.d)
	l.items = l.matrix("items", n.items, n.d)
	return n, nil
}

// gru is the network: where its weights lie and its sizes. The gates are in the
// order reset, update, new, each of hidden numbers.
type gru struct {
	level                    kernel.Level
	items, d, hidden, length int
	rate                     float64 // of dropout
	in, inBias               int     // from the item
	on, onBias               int     // from the state before
	dense, denseBias         int
	gain, shift              int // of the normalisation that follows
	lay                      layout
	scratch                  sync.Pool // of *gruRows, for cursors
}

func (n *gru) initial(w []float32, rng *rand.Rand) {
	even := func(at, size int, bound float64) {
		for i := range size {
			w[at+i] = float32((2*rng.Float64() - 1) * bound)
		}
	}
	bound := 1 / math.Sqrt(float64(n.hidden))
	even(n.in, n.d*3*n.hidden, bound)
	even(n.on, n.hidden*3*n.hidden, bound)
	even(n.dense, n.hidden*n.d, bound)
	for i := range n.d {
		w[n.gain+i] = 1
	}
	for i := range n.items * n.d {
		w[n.lay.items+i] = float32(rng.NormFloat64() * .05)
	}
}

func (n *gru) name() string             { return "gru" }
func (n *gru) layout() *layout          { return &n.lay }
func (n *gru) dim() int                 { return n.d }
func (n *gru) stepwise() bool           { return true }
func (n *gru) settings() map[string]int { return map[string]int{"length": n.length} }

// portion: the more runs a step has, the more rows its product.
func (n *gru) portion() int { return max(3200, n.length) }

// window: the state forgets, so that half of Length is as good to begin with.
func (n *gru) window() (length, hop int) { return n.length, max(1, n.length/2) }

func loadGRU(a artefact.Artefact, items, d int) (*gru, error) {
	length, err := a.Int("length")
	if err != nil {
		return nil, err
	}
	g := GRU{Dim: d, Hidden: side(a, "on", 0), Length: length}
	if length < 1 || g.Hidden < 1 || side(a, "on", 1) != 3*g.Hidden {
		return nil, fmt.Errorf("length %d, %d hidden: %w", length, g.Hidden, upnext.ErrInvalid)
	}
	return g.network(items)
}
