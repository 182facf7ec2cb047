package rule

import (
	"math"

	"upnext/serve/vec"
)

// Method is how difference is weighed against score.
type Method string

// The methods. Both go place by place and ask what a candidate adds to what
// stands already.
const (
	MMR Method = "mmr" // less the likeness to the most similar one (Carbonell and Goldstein 1998)
	DPP Method = "dpp" // the logarithm of what it adds to the volume (Chen, Zhang and Zhou 2018)
)

// Diversity says how different from each other the items of a page are.
type Diversity struct {
	Dial   float64 `json:"dial"`   // of a page whose request names none; 0: by score alone, 1: by difference alone
	Cold   float64 `json:"cold"`   // the least for a viewer of whom nothing is known
	Method Method  `json:"method"` // "" is MMR
	Pool   int     `json:"pool"`   // how many of the best are arranged; the rest only fills up
}

// mostPool bounds the pool: each place looks at all of it.
const mostPool = 1000

func (d Diversity) validate() error {
	switch {
	case !share(d.Dial):
		return bad("diversity.dial", "%g is not within 0 and 1", d.Dial)
	case !share(d.Cold):
		return bad("diversity.cold", "%g is not within 0 and 1", d.Cold)
	case d.Method != "" && d.Method != MMR && d.Method != DPP:
		return bad("diversity.method", "%q is none of mmr, dpp", d.Method)
	case d.Pool < 0 || d.Pool > mostPool:
		return bad("diversity.pool", "%d is not within 0 and %d", d.Pool, mostPool)
	}
	return nil
}

// What makes two items alike: their vectors and their first topics. As a matrix
// over items it has ones on its diagonal and, as a sum of two kernels, no
// negative eigenvalue, which DPP needs.
const (
	alikeByVector = 0.7
	alikeByTopic  = 0.3
)

// mostSpread is how many of a page's items the others are held against: beyond
// that many places a page is a list that is scrolled, and likeness to its head
// is what is left to avoid.
const mostSpread = 64

// leastVolume keeps the logarithm finite: what is within the span of the others
// adds nothing.
const leastVolume = 1e-4

// spread holds how different each candidate of the pool is from what stands on
// the page.
type spread struct {
	on     bool
	dpp    bool
	pool   []Ranked
	held   int       // how many stand against the others
	like   []float64 // by candidate: likeness to the item added last
	near   []float64 // MMR: likeness to the most similar one
	volume []float64 // DPP: what it would add, squared
	gains  []float64 // by candidate: near, negative, or the volume's logarithm
	factor []float64 // DPP: a row an item added, a column a candidate: the Cholesky factor
}

func (s *spread) begin(d Diversity, pool []Ranked) {
	s.on, s.dpp, s.pool, s.held = d.Dial > 0, d.Method == DPP, pool, 0
	if !s.on {
		return
	}
	n := len(pool)
	s.like, s.gains, s.factor = resized(s.like, n), resized(s.gains, n), s.factor[:0]
	clear(s.gains)
	if s.dpp {
		s.volume = resized(s.volume, n)
		for i := range s.volume {
			s.volume[i] = 1
		}
		return
	}
	s.near = resized(s.near, n)
	clear(s.near)
}

// gain is at most 0: what a candidate's likeness to the others takes from it.
func (s *spread) gain(i int) float64 { return s.gains[i] }

// add holds the candidates against one of them that was placed.
func (s *spread) add(at int) {
	if !s.on || s.held == mostSpread {
		return
	}
	s.liken(s.pool[at])
	if s.dpp {
		s.update(at)
		return
	}
	s.held++
	for i, like := range s.like {
		s.near[i] = max(s.near[i], like)
		s.gains[i] = -s.near[i]
	}
}

// liken computes the likeness of one item to all of the pool.
func (s *spread) liken(r Ranked) {
	for i, other := range s.pool {
		s.like[i] = alike(r, other)
	}
}

// update is a step of the fast greedy MAP inference for determinantal point
// processes (Chen, Zhang and Zhou 2018, algorithm 1): the Cholesky factor of the
// items added grows by a row, and each candidate's volume loses what lies in
// the new direction.
func (s *spread) update(at int) {
	if s.volume[at] < leastVolume { // within the span of the others: no new direction
		return
	}
	d := math.Sqrt(s.volume[at])
	n := len(s.pool)
	row := s.like // becomes the new row in place
	for k := range s.held {
		former := s.factor[k*n : (k+1)*n]
		if x := former[at]; x != 0 {
			for i, f := range former {
				row[i] -= x * f
			}
		}
	}
	for i, x := range row {
		e := x / d
		row[i] = e
		s.volume[i] -= e * e
		s.gains[i] = 0.5 * math.Log(max(s.volume[i], leastVolume))
	}
	s.factor = append(s.factor, row...)
	s.held++
}

// alike is 0 for two items that have nothing to do with each other, 1 for the
// same, below 0 for opposites.
func alike(a, b Ranked) float64 {
	s := 0.0
	switch {
	case a.Item == b.Item:
		return 1
	case a.Vector != nil && b.Vector != nil:
		s = alikeByVector * float64(vec.Dot(a.Vector, b.Vector))
	}
	if len(a.Item.Topics) > 0 && len(b.Item.Topics) > 0 && a.Item.Topics[0] == b.Item.Topics[0] {
		s += alikeByTopic
	}
	return s
}
