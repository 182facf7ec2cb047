package sequence

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"upnext/learn"
	"upnext/learn/kernel"
)

const (
	top    = 10 // ranks that validation looks at
	jurors = 16 // viewers that are judged by one product
)

// split is a log as fitting sees it.
type split struct {
	items   int
	fitting [][]int32 // two acts or more each
	judges  []judge
	counts  []int // acts by item, of fitting
}

// judge is a viewer whose last act is held back.
type judge struct {
	before []int32 // all acts before it
	read   []int32 // what a model reads of them
	last   int32
}

// divideLog holds back the last act of every viewer that has at least two
// besides; of more than most viewers a random part, always the same, judges and
// the others are fitted on whole.
func divideLog(log learn.Log, most, length, hop int) split {
	s := split{items: log.Items, counts: make([]int, log.Items)}
	var able []int
	for v, h := range log.Viewers {
		if len(h.Items) >= 3 {
			able = append(able, v)
		}
	}
	judging := make(map[int]bool, min(len(able), most))
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(able))[:min(len(able), most)] {
		judging[able[i]] = true
	}
	for v, h := range log.Viewers {
		acts := h.Items
		if judging[v] {
			acts = acts[:len(acts)-1]
			s.judges = append(s.judges, judge{acts, acts[begin(len(acts), length, hop):], h.Items[len(acts)]})
		}
		if len(acts) >= 2 {
			s.fitting = append(s.fitting, acts)
		}
		for _, item := range acts {
			s.counts[item]++
		}
	}
	slices.SortStableFunc(s.judges, func(x, y judge) int { return cmp.Compare(len(y.read), len(x.read)) })
	return s
}

// judge validates the weights, or their average, and keeps them where they are
// the best. Without a judge the last ones are kept.
func (r *run) judge() float64 {
	w := r.v.w
	if r.average != nil {
		w = r.average
	}
	metric := 0.
	if len(r.log.judges) > 0 {
		metric = ndcg(r.ranks(w))
	}
	if r.best == nil || metric > r.metric || len(r.log.judges) == 0 {
		r.best, r.metric, r.idle = append(r.best[:0], w...), metric, 0
	} else {
		r.idle++
	}
	return metric
}

// ndcg is the mean of NDCG@10 over ranks that count from 0: with one relevant
// item each it is 1/log2(rank+2) (Järvelin and Kekäläinen 2002).
func ndcg(ranks []int) float64 {
	sum := 0.
	for _, rank := range ranks {
		if rank < top {
			sum += 1 / math.Log2(float64(rank)+2)
		}
	}
	return sum / float64(len(ranks))
}

// ranks answers the rank of each judge's last item among all items that are not
// in the judge's history, ties going to the smaller id.
func (r *run) ranks(w []float32) []int {
	own := r.v.w
	r.v.w = w
	r.v.turn()
	defer func() { r.v.w = own }()
	ranks, portion := make([]int, len(r.log.judges)), r.net.portion()
	kernel.Parallel(len(r.shards), len(ranks), jurors, func(piece, from, to int) {
		s, d := r.shards[piece], r.net.dim()
		scores, vectors := make([]float32, r.log.items*jurors), make([]float32, d*jurors)
		for from < to {
			var runs [][]int32
			for acts := 0; from+len(runs) < to && len(runs) < jurors; {
				read := r.log.judges[from+len(runs)].read
				if acts += len(read); acts > portion {
					break
				}
				runs = append(runs, read)
			}
			n := len(runs)
			s.batch.pack(runs, r.net.stepwise(), false)
			hidden := s.pass.forward(&s.batch, false)
			for i, row := range s.batch.last {
				for j, v := range hidden[row*d:][:d] {
					vectors[j*n+i] = v
				}
			}
			s.head.level.Gemm(r.log.items, n, d, r.v.from(r.v.items, d), kernel.Rows(vectors, n), kernel.Rows(scores, n), false)
			for i := range n {
				ranks[from+i] = r.log.judges[from+i].rank(scores[i:r.log.items*n], n)
			}
			from += n
		}
	})
	return ranks
}

// rank counts the items before the last one; item i has the score scores[i·step].
func (j judge) rank(scores []float32, step int) int {
	own, rank := scores[int(j.last)*step], 0
	before := func(item int) bool {
		v := scores[item*step]
		return v > own || v == own && item < int(j.last)
	}
	for item := 0; item*step < len(scores); item++ {
		if before(item) {
			rank++
		}
	}
	seen := map[int32]bool{j.last: true}
	for _, item := range j.before {
		if !seen[item] && before(int(item)) {
			rank--
		}
		seen[item] = true
	}
	return rank
}
