package rule

import (
	"math"
	"slices"

	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// Calibration holds a page to the proportions of what its viewer is drawn to:
// who took to seven comedies and three westerns finds some of both, though
// every comedy scores above every western (Steck 2018, calibrated
// recommendations).
type Calibration struct {
	Weight float64 `json:"weight"` // of the divergence against all else, 0 to 1; 0: not looked at
}

func (c Calibration) validate() error {
	if !share(c.Weight) {
		return bad("calibration.weight", "%g is not within 0 and 1", c.Weight)
	}
	return nil
}

// smooth mixes a little of the wanted distribution into the page's, so that the
// divergence is finite where the page has nothing of a topic yet.
const smooth = 0.01

// mixture holds a page against the viewer's mix: the Kullback-Leibler
// divergence of the wanted distribution from the page's.
type mixture struct {
	on     bool
	want   taste.Mix
	page   []float64 // what stands there, by topic of the mix and the rest: sums of shares
	placed float64
	of     [][]part // by candidate of the pool
	parts  []part   // their memory
	base   float64  // divergence if the next item had nothing of any topic
	terms  []float64
	added  []part // of the item added last
}

// part is what an item has of one topic.
type part struct {
	topic int
	share float64
}

func (m *mixture) begin(want taste.Mix, weight float64, pool []Ranked) {
	if m.on = weight > 0 && len(want) > 0; !m.on {
		return
	}
	m.want, m.placed = want, 0
	m.page, m.terms = resized(m.page, len(want)), resized(m.terms, len(want))
	clear(m.page)
	m.of, m.parts = m.of[:0], m.parts[:0]
	for _, r := range pool {
		from := len(m.parts)
		m.parts = m.partsOf(m.parts, r.Item)
		m.of = append(m.of, m.parts[from:len(m.parts):len(m.parts)])
	}
	m.look()
}

// partsOf appends what an item has of the topics of the mix. Its topics have
// equal shares; those that the mix does not name belong to its last part.
func (m *mixture) partsOf(into []part, it *shelf.Item) []part {
	each := 1 / float64(max(1, len(it.Topics)))
	other := 1.0
	for i, w := range m.want[:len(m.want)-1] {
		if slices.Contains(it.Topics, w.Topic) {
			into = append(into, part{i, each})
			other -= each
		}
	}
	if other > 1e-9 {
		into = append(into, part{len(m.want) - 1, other})
	}
	return into
}

// add counts an item of the page.
func (m *mixture) add(it *shelf.Item) {
	if !m.on {
		return
	}
	m.placed++
	m.added = m.partsOf(m.added[:0], it)
	for _, p := range m.added {
		m.page[p.topic] += p.share
	}
	m.look()
}

// look computes what does not depend on the next item.
func (m *mixture) look() {
	m.base = 0
	for i, w := range m.want {
		m.terms[i] = m.term(i, 0)
		m.base += w.Share*math.Log(w.Share) - m.terms[i]
	}
}

// term is a topic's part of the divergence, were an item with some of it next.
func (m *mixture) term(i int, share float64) float64 {
	want := m.want[i].Share
	return want * math.Log((1-smooth)*(m.page[i]+share)/(m.placed+1)+smooth*want)
}

// divergence is that of the page with a candidate of the pool on it; 0 where
// the page is as the viewer is.
func (m *mixture) divergence(i int) float64 {
	d := m.base
	for _, p := range m.of[i] {
		d += m.terms[p.topic] - m.term(p.topic, p.share)
	}
	return d
}
