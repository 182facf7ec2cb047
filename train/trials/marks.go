package trials

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/split"
)

// metric is a measure of one answer.
type metric struct {
	name string
	of   func(relevance.Ranking) float64
}

// metrics are all that are taken of every answer.
func metrics() []metric {
	out := []metric{{"hr@1", func(r relevance.Ranking) float64 { return r.HR(1) }}}
	for _, k := range []int{10, 20} {
		for _, m := range []struct {
			name string
			of   func(relevance.Ranking, int) float64
		}{
			{"hr", relevance.Ranking.HR}, {"recall", relevance.Ranking.Recall}, {"precision", relevance.Ranking.Precision},
			{"f1", relevance.Ranking.F1}, {"accuracy", relevance.Ranking.Accuracy}, {"ndcg", relevance.Ranking.NDCG},
			{"mrr", relevance.Ranking.RR}, {"map", relevance.Ranking.AP},
		} {
			out = append(out, metric{fmt.Sprintf("%s@%d", m.name, k), func(r relevance.Ranking) float64 { return m.of(r, k) }})
		}
	}
	return out
}

// grades is what answers of one protocol are graded with.
type grades struct {
	metrics  []metric
	takers   ranking.Takers
	known    map[[2]int32]float64 // likeness of pairs
	counts   []int
	viewers  int
	segments []segment
}

// likenesses is how many pairs' likeness is remembered: the popular meet in most
// lists, and theirs takes longest to tell.
const likenesses = 1 << 19

// likeness is the takers' likeness, remembered.
func (g grades) likeness(a, b int32) float64 {
	pair := [2]int32{min(a, b), max(a, b)}
	v, ok := g.known[pair]
	if !ok {
		if len(g.known) >= likenesses {
			clear(g.known)
		}
		v = g.takers.Likeness(a, b)
		g.known[pair] = v
	}
	return v
}

func newGrades(s sitting) grades {
	g := grades{known: map[[2]int32]float64{}, metrics: metrics(), takers: ranking.TakersOf(s.log), viewers: len(s.log.Viewers)}
	g.counts = g.takers.Counts()
	g.segments = []segment{{ranking.ColdViewers(s.cases)}, {ranking.LongTail(s.cases, s.log)}}
	return g
}

// segment is one whose values stand in columns of their own.
type segment struct{ ranking.Segment }

func (s segment) column(metric string) string {
	return strings.ReplaceAll(s.Name, " ", "_") + "_" + metric
}

// marks are the values of one fitted model, or the sum over several seeds.
type marks struct {
	seeds  int
	values [][]float64        // by metric, by case
	means  [][]float64        // by metric, by seed
	whole  map[string]float64 // of the lists together
	cost   map[string]float64
	note   string
}

func (g grades) of(cases []split.Case, result ranking.Result) marks {
	m := marks{seeds: 1, values: make([][]float64, len(g.metrics)), means: make([][]float64, len(g.metrics)), cost: map[string]float64{}}
	for k, of := range g.metrics {
		m.values[k] = make([]float64, len(cases))
		for i, a := range result.Answers {
			m.values[k][i] = of.of(a.Ranking)
		}
		m.means[k] = []float64{relevance.Mean(m.values[k])}
	}
	exposure, silent := make(relevance.Exposure, len(g.counts)), 0.0
	var diversity, novelty []float64
	for _, a := range result.Answers {
		if a.Silent {
			silent++
			continue
		}
		exposure.Show(a.List)
		diversity = append(diversity, relevance.Diversity(a.List[:min(10, len(a.List))], g.likeness))
		novelty = append(novelty, relevance.Novelty(a.List, g.counts, g.viewers))
	}
	m.whole = map[string]float64{
		"coverage@20": exposure.Coverage(), "gini@20": exposure.Gini(), "entropy@20": exposure.Entropy(),
		"diversity@10": relevance.Mean(diversity), "novelty@20": relevance.Mean(novelty), "silent": silent / float64(max(1, len(cases))),
	}
	return m
}

// add takes in the marks of another seed.
func (m *marks) add(o marks) {
	if m.seeds == 0 {
		*m = o
		return
	}
	m.seeds++
	for k := range m.values {
		for i := range m.values[k] {
			m.values[k][i] += o.values[k][i]
		}
		m.means[k] = append(m.means[k], o.means[k]...)
	}
	for name, v := range o.whole {
		m.whole[name] += v
	}
	for name, v := range o.cost {
		m.cost[name] += v
	}
	if o.note != "" {
		m.note += "; " + o.note
	}
}

// row sums up: means over seeds and cases, the bootstrap's interval over viewers
// and the seeds' deviation of what the main table shows, the segments' means.
func (m marks) row(seed uint64, g grades, columns []string) Row {
	row := Row{Values: map[string]float64{}, Note: m.note}
	n := float64(m.seeds)
	for k, of := range g.metrics {
		values := m.values[k]
		for i := range values {
			values[i] /= n
		}
		row.Values[of.name] = relevance.Mean(values)
		if !slices.Contains(columns, of.name) {
			continue
		}
		for _, s := range g.segments {
			row.Values[s.column(of.name)] = relevance.Mean(s.Of(values))
		}
		row.Values[of.name+"_low"], row.Values[of.name+"_high"] = relevance.Interval(values, seed)
		if m.seeds > 1 {
			row.Values[of.name+"_sd"] = deviation(m.means[k])
		}
	}
	for name, v := range m.whole {
		row.Values[name] = v / n
	}
	for name, v := range m.cost {
		row.Values[name] = v / n
	}
	row.Values["seeds"] = n
	return row
}

// deviation is the standard deviation of a sample.
func deviation(values []float64) float64 {
	mean, sum := relevance.Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// pushedColumn is the share of viewers in whose first ten a pushed item stands.
const pushedColumn = "pushed@10"

func pushedShare(result ranking.Result, pushed int32) float64 {
	n := 0
	for _, a := range result.Answers {
		if slices.Contains(a.List[:min(10, len(a.List))], pushed) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(result.Answers)))
}
