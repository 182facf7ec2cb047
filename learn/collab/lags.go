package collab

import (
	"context"

	"upnext/learn"
	"upnext/learn/matrix"
)

// lags makes SᵀS and SᵀT of the ridge without S. Two acts at p ≤ q of one
// viewer stand together in the rows of all acts after q, as far as both are
// remembered; what they add there depends only on q-p and on how many such
// acts there are: it is summed once, and a log costs acts × window instead of
// acts × window².
type lags struct {
	scales [][]float32 // what an act counts at each scale, by age from 0
	window int         // the longest of them

	// both[s][u][d][k] is what an act at scale s and one d later at scale u add
	// over the first k acts after the later one.
	both [][][][]float32
}

func newLags(decays []Decay) lags {
	var l lags
	for _, d := range decays {
		w := make([]float32, d.Last)
		for age := range w {
			w[age] = float32(d.of(age, 0))
		}
		l.scales, l.window = append(l.scales, w), max(l.window, d.Last)
	}
	l.both = make([][][][]float32, len(l.scales))
	for s, older := range l.scales {
		for _, newer := range l.scales {
			apart := make([][]float32, len(older))
			for d := range apart {
				n := min(len(older)-d, len(newer))
				sums, sum := make([]float32, n+1), 0.0
				for k := range n {
					sum += float64(older[d+k]) * float64(newer[k])
					sums[k+1] = float32(sum)
				}
				apart[d] = sums
			}
			l.both[s] = append(l.both[s], apart)
		}
	}
	return l
}

// products are SᵀS, m × m with m = scales·items, right in its upper triangle
// only, and SᵀT, m × items. Each row has one owner, who meets the viewers in
// their order.
func (l lags) products(ctx context.Context, log learn.Log) (g, t []float32, err error) {
	m := len(l.scales) * log.Items
	g, t = make([]float32, m*m), make([]float32, m*log.Items)
	const parts = 16 // by item number, as popularity seldom follows it
	matrix.Each(parts, func(part, _ int) {
		for _, h := range log.Viewers {
			if ctx.Err() != nil {
				return
			}
			for p, item := range h.Items {
				if int(item)%parts == part {
					l.addAfter(g, t, log.Items, h.Items, p)
				}
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	fold(g, m)
	return g, t, nil
}

// addAfter adds what act p has with itself and the acts after it.
func (l lags) addAfter(g, t []float32, items int, acts []int32, p int) {
	m, a, last := len(l.scales)*items, int(acts[p]), len(acts)-1
	for s, w := range l.scales {
		row, out := g[(s*items+a)*m:][:m], t[(s*items+a)*items:][:items]
		for q := p + 1; q <= min(last, p+len(w)); q++ {
			out[acts[q]] += w[q-p-1]
		}
		for u := range l.scales {
			apart, block := l.both[s][u], row[u*items:][:items]
			// With itself half, as fold doubles it.
			block[a] += apart[0][min(len(apart[0])-1, last-p)] / 2
			for q := p + 1; q <= min(last, p+len(w)-1); q++ {
				sums := apart[q-p]
				block[acts[q]] += sums[min(len(sums)-1, last-q)]
			}
		}
	}
}

// fold adds to the upper triangle what stands in the lower, doubling the
// diagonal.
func fold(g []float32, m int) {
	const strip = 64
	blocks := (m + strip - 1) / strip
	matrix.Each(blocks, func(bi, _ int) {
		for bj := bi; bj < blocks; bj++ {
			for i := bi * strip; i < min(m, (bi+1)*strip); i++ {
				for j := max(i, bj*strip); j < min(m, (bj+1)*strip); j++ {
					g[i*m+j] += g[j*m+i]
				}
			}
		}
	})
}
