package sequence

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"upnext"
	"upnext/learn"
	"upnext/learn/kernel"
)

// SASRec is self-attention over a viewer's acts (Kang and McAuley 2018) with
// the cross-entropy over all items as its loss (Klenitskiy and Vasilev 2023).
// Blocks are normalised first; attention has a learned weight for how far back
// an act lies, as T5 and HSTU have it. Sizes of 0 are the defaults.
type SASRec struct {
	Dim     int     // numbers of an item's vector; 64
	Blocks  int     // 2
	Heads   int     // they divide Dim; 2
	Hidden  int     // of the feed-forward layers; 4·Dim
	Length  int     // acts that it looks back; 200
	Dropout float64 // share of numbers dropped while it is fitted; 0 drops none
	Training
}

var _ learn.Fitter = SASRec{}

// Name implements learn.Fitter.
func (SASRec) Name() string { return "sasrec" }

// Fit implements learn.Fitter.
func (s SASRec) Fit(ctx context.Context, log learn.Log, watch learn.Watch) (learn.Model, error) {
	net, err := s.network(log.Items)
	if err != nil {
		return nil, fmt.Errorf("fit sasrec: %w", err)
	}
	m, err := s.fit(ctx, net, log, watch)
	if err != nil {
		return nil, fmt.Errorf("fit sasrec: %w", err)
	}
	return m, nil
}

// network lays the weights out.
func (s SASRec) network(items int) (*sasrec, error) {
	n := &sasrec{level: kernel.Best(), items: items, d: or(s.Dim, 64), heads: or(s.Heads, 2), length: or(s.Length, 200), rate: s.Dropout}
	n.hidden = or(s.Hidden, 4*n.d)
	blocks := or(s.Blocks, 2)
	if n.d < 1 || n.heads < 1 || n.d%n.heads != 0 || n.hidden < 1 || n.length < 1 || blocks < 1 || blocks > 64 || !(s.Dropout >= 0 && s.Dropout < .95) {
		return nil, fmt.Errorf("%d blocks of %d numbers in %d heads, %d hidden, length %d, dropout %v: %w",
			blocks, n.d, n.heads, n.hidden, n.length, s.Dropout, upnext.ErrInvalid)
	}
	n.blocks = make([]sasrecBlock, blocks)
	n.place()
	return n, nil
}

// sasrec is the network: where its weights lie and its sizes.
type sasrec struct {
	level                           kernel.Level
	items, d, heads, hidden, length int
	rate                            float64 // of dropout
	blocks                          []sasrecBlock
	positions, gain, shift          int // the last two are the final normalisation's
	lay                             layout
	scratch                         sync.Pool // of *sasrecRows, for cursors
}

// sasrecBlock is where the weights of one block begin.
type sasrecBlock struct {
	gain1, shift1, qkv, qkvBias, out, outBias, ago int
	gain2, shift2, up, upBias, down, downBias      int
}

func (n *sasrec) place() {
	d, l := n.d, &n.lay
	n.positions = l.vector("positions", n.length, d)
	for i := range n.blocks {
		p := fmt.Sprintf("%d.", i)
		n.blocks[i] = sasrecBlock{
			gain1: l.vector(p+"gain1", d), shift1: l.vector(p+"shift1", d),
			qkv: l.matrix(p+"qkv", d, 3*d), qkvBias: l.vector(p+"qkv_bias", 3*d),
			out: l.matrix(p+"out", d, d), outBias: l.vector(p+"out_bias", d),
			ago:   l.vector(p+"ago", n.heads, n.length), // the weight of k acts ago is column Length-1-k
			gain2: l.vector(p+"gain2", d), shift2: l.vector(p+"shift2", d),
			up: l.matrix(p+"up", d, n.hidden), upBias: l.vector(p+"up_bias", n.hidden),
			down: l.matrix(p+"down", n.hidden, d), downBias: l.vector(p+"down_bias", d),
		}
	}
	n.gain, n.shift = l.vector("gain", d), l.vector("shift", d)
	l.items = l.matrix("items", n.items, d)
}

// initial draws the weights that fitting begins with.
func (n *sasrec) initial(w []float32, rng *rand.Rand) {
	normal := func(at, size int, deviation float64) {
		for i := range size {
			w[at+i] = float32(rng.NormFloat64() * deviation)
		}
	}
	ones := func(at int) {
		for i := range n.d {
			w[at+i] = 1
		}
	}
	d := n.d
	wide := 1 / math.Sqrt(3*float64(d))
	normal(n.lay.items, n.items*d, .05)
	normal(n.positions, n.length*d, .05)
	for _, b := range n.blocks {
		normal(b.qkv, 3*d*d, wide)
		normal(b.out, d*d, wide)
		normal(b.up, d*n.hidden, wide)
		normal(b.down, n.hidden*d, 1/math.Sqrt(3*float64(n.hidden)))
		ones(b.gain1)
		ones(b.gain2)
	}
	ones(n.gain)
}

func (n *sasrec) name() string    { return "sasrec" }
func (n *sasrec) layout() *layout { return &n.lay }
func (n *sasrec) dim() int        { return n.d }
func (n *sasrec) stepwise() bool  { return false }
func (n *sasrec) portion() int    { return max(1600, n.length) }

// window: a viewer's state is made anew every eighth of Length acts.
func (n *sasrec) window() (length, hop int) { return n.length, max(1, n.length/8) }

// settings are what the artefact keeps beside the shapes of its tensors.
func (n *sasrec) settings() map[string]int {
	return map[string]int{"heads": n.heads, "blocks": len(n.blocks)}
}
