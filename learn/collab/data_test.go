package collab

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext/learn"
	"upnext/learn/kernel"
	"upnext/learn/matrix"
)

// lines reads a packed file of UPNEXT_DATA, or skips the test.
func lines(t testing.TB, name string) []string {
	t.Helper()
	dir := os.Getenv("UPNEXT_DATA")
	if dir == "" {
		t.Skip("UPNEXT_DATA is not set")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		all = append(all, s.Text())
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return all
}

func numbers(t testing.TB, fields []string, from int) []int32 {
	t.Helper()
	out := make([]int32, len(fields))
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = int32(n - from)
	}
	return out
}

// split is a protocol: what is fitted on, and who is asked what.
type split struct {
	train  learn.Log
	asks   []learn.History // seen items, which are not ranked
	truth  [][]int32
	cutoff int
	every  int // asks only each every-th viewer; 0: all
}

// sequences is leave-one-out on a file of "user<TAB>item item ...": the item
// last from the end is asked for (1 test, 2 validation), fitted on what is
// before the last fitted from the end.
func sequences(t testing.TB, name string, last, fitted int) split {
	s := split{cutoff: 10}
	for _, line := range lines(t, name) {
		_, list, _ := strings.Cut(line, "\t")
		items := numbers(t, strings.Fields(list), 1)
		for _, i := range items {
			s.train.Items = max(s.train.Items, int(i)+1)
		}
		s.train.Viewers = append(s.train.Viewers, learn.History{Items: items[:len(items)-fitted]})
		s.asks = append(s.asks, learn.History{Items: items[:len(items)-last]})
		s.truth = append(s.truth, items[len(items)-last:][:1])
	}
	return s
}

// gowalla is protocol B; held > 0 holds every held-th item of a viewer's train
// items out for validation instead of asking for the test's.
func gowalla(t testing.TB, held int) split {
	s := split{cutoff: 20, train: learn.Log{Items: 40_981}}
	test := lines(t, "gowalla-lightgcn/test.txt.gz")
	for u, line := range lines(t, "gowalla-lightgcn/train.txt.gz") {
		items := numbers(t, strings.Fields(line)[1:], 0)
		truth := numbers(t, strings.Fields(test[u])[1:], 0)
		if held > 0 {
			var kept []int32
			truth = nil
			for k, i := range items {
				if (k*7+u*3)%held == 0 {
					truth = append(truth, i)
				} else {
					kept = append(kept, i)
				}
			}
			items = kept
		}
		s.train.Viewers = append(s.train.Viewers, learn.History{Items: items})
		s.asks, s.truth = append(s.asks, learn.History{Items: items}), append(s.truth, truth)
	}
	return s
}

// measured is recall and NDCG at the cutoff, means over those with a truth, and
// the time of a Score. Ties fall against the truth.
func (s split) measured(m learn.Model) (recall, ndcg float64, each time.Duration) {
	type sums struct {
		recall, ndcg float64
		n            int
		time         time.Duration
	}
	parts := make([]sums, 16)
	var working sync.WaitGroup
	var running = make(chan bool, matrix.Workers())
	for p := range parts {
		working.Go(func() {
			running <- true
			defer func() { <-running }()
			scores := make([]float32, m.Items())
			score := func(u int, scores []float32) { m.Score(s.asks[u], scores) }
			if f, ok := m.(*filterModel); ok && len(s.asks) > 10_000 {
				score = s.inBatches(f)
			}
			for u := len(s.asks) * p / len(parts); u < len(s.asks)*(p+1)/len(parts); u++ {
				if len(s.truth[u]) == 0 || s.every > 0 && u/64%s.every != 0 {
					continue
				}
				begun := time.Now()
				score(u, scores)
				parts[p].time += time.Since(begun)
				r, d := s.one(scores, u)
				parts[p].recall, parts[p].ndcg, parts[p].n = parts[p].recall+r, parts[p].ndcg+d, parts[p].n+1
			}
		})
	}
	working.Wait()
	var all sums
	for _, p := range parts {
		all.recall, all.ndcg, all.n, all.time = all.recall+p.recall, all.ndcg+p.ndcg, all.n+p.n, all.time+p.time
	}
	return all.recall / float64(all.n), all.ndcg / float64(all.n), all.time / time.Duration(all.n)
}

// scorer is Score of one goroutine, or what a test has instead.
type scorer func(u int, scores []float32)

// inBatches scores viewers with a filter 64 at a time, as products: the same
// numbers as Score's but for rounding, in a tenth of the time.
func (s split) inBatches(m *filterModel) scorer {
	const batch = 64
	k, n := m.factors, m.Items()
	turned := make([]float32, k*n)
	for i := range n {
		for j, v := range m.vectors[i*k : (i+1)*k] {
			turned[j*n+i] = v
		}
	}
	level, from := kernel.Best(), -1
	sharp, ideal := make([]float32, batch*k), make([]float32, batch*k)
	x, y := make([]float32, batch*n), make([]float32, batch*n)
	return func(u int, scores []float32) {
		if at := u / batch * batch; at != from {
			from = at
			clear(sharp)
			clear(ideal)
			for b := range min(batch, len(s.asks)-at) {
				along, own := make([]float32, k), ideal[b*k:(b+1)*k]
				for _, i := range s.asks[at+b].Items {
					v := m.vectors[int(i)*k : (int(i)+1)*k]
					level.Axpy(along, 1, v)
					level.Axpy(own, 1/m.roots[i], v)
				}
				for i, v := range m.sharp {
					sharp[b*k+i] = v * (m.values[i]*along[i] + level.Dot(m.across[i*k:(i+1)*k], own))
				}
			}
			level.Gemm(batch, n, k, kernel.Rows(sharp, k), kernel.Rows(turned, n), kernel.Rows(x, n), false)
			level.Gemm(batch, n, k, kernel.Rows(ideal, k), kernel.Rows(turned, n), kernel.Rows(y, n), false)
		}
		b := u - from
		copy(scores, x[b*n:(b+1)*n])
		for i, root := range m.roots {
			scores[i] += float32(m.Alpha) * root * y[b*n+i]
		}
		for _, i := range s.asks[u].Items {
			m.linear.add(scores, int(i), 1)
		}
	}
}

// one is recall and NDCG of one viewer's scores, which it spoils.
func (s split) one(scores []float32, u int) (recall, ndcg float64) {
	lowest := float32(math.Inf(-1))
	for _, i := range s.asks[u].Items {
		scores[i] = lowest
	}
	var ideal float64
	for k, want := range s.truth[u] {
		if k < s.cutoff {
			ideal += 1 / math.Log2(float64(k)+2)
		}
		rank, own := 0, scores[want]
		for i, v := range scores {
			if v >= own && int32(i) != want {
				if rank++; rank >= s.cutoff {
					break
				}
			}
		}
		if rank < s.cutoff {
			recall++
			ndcg += 1 / math.Log2(float64(rank)+2)
		}
	}
	return recall / float64(len(s.truth[u])), ndcg / ideal
}

// report fits and measures one fitter.
func (s split) report(t testing.TB, label string, f learn.Fitter) learn.Model {
	t.Helper()
	begun := time.Now()
	m, err := f.Fit(t.Context(), s.train, nil)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	recall, ndcg, each := s.measured(m)
	fmt.Printf("%-60s %.4f %.4f fit %.2fs score %v\n", label, recall, ndcg, took.Seconds(), each)
	return m
}

const ml1m = "ml-1m/sequences_sas.txt.gz"
