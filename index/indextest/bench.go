package indextest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"upnext"
	"upnext/filter"
	"upnext/index"
)

// Workload is a load to measure engines with: entries, queries, filters and the
// exact answers, of which recall is told.
type Workload struct {
	Dim     int
	Entries []index.Entry
	Queries [][]float32
	Cases   []Case

	truth [][][]upnext.ItemID // by case, by query
}

// Case is one way in which a Workload asks.
type Case struct {
	Name   string
	Source string // the filter; empty for none
	Filter *filter.Filter
}

// atOnce is k of a Workload's questions.
const atOnce = 10

// NewWorkload makes n entries of dim components and finds the exact answers to
// its queries, on all processors. The share of entries that a filter passes is
// in its name; the last one goes with the vectors.
func NewWorkload(b testing.TB, n, dim, queries int) *Workload {
	w := &Workload{Dim: dim, Entries: entries(Vectors(21, n, dim)), Queries: VectorsOf(21, 22, queries, dim)}
	rng := rand.New(rand.NewPCG(23, 1))
	firsts := make([]float32, n)
	for i, e := range w.Entries {
		firsts[i] = e.Vector[0]
	}
	slices.Sort(firsts)
	for i := range w.Entries {
		kind := "video"
		if w.Entries[i].Vector[0] < firsts[n/10] {
			kind = "live"
		}
		w.Entries[i].Fields = upnext.Fields{"attributes.price": float64(rng.IntN(100)), "kind": kind}
	}
	w.Cases = []Case{
		{Name: "unfiltered"},
		{Name: "filter=1%", Source: "attributes.price < 1"},
		{Name: "filter=10%", Source: "attributes.price < 10"},
		{Name: "filter=50%", Source: "attributes.price < 50"},
		{Name: "correlated=10%", Source: "kind == 'live'"},
	}
	for i := range w.Cases {
		if src := w.Cases[i].Source; src != "" {
			w.Cases[i].Filter = parsed(b, src)
		}
		w.truth = append(w.truth, w.exact(w.Cases[i].Filter))
	}
	return w
}

// exact finds the answers, knowing of no engine.
func (w *Workload) exact(f *filter.Filter) [][]upnext.ItemID {
	answers := make([][]upnext.ItemID, len(w.Queries))
	var working sync.WaitGroup
	for i, q := range w.Queries {
		working.Go(func() {
			var best []index.Hit
			for _, e := range w.Entries {
				if f != nil && !f.Match(e.Fields, filter.Vars{}) {
					continue
				}
				var product float32
				for j, x := range e.Vector {
					product += x * q[j]
				}
				if len(best) == atOnce && product <= best[atOnce-1].Score {
					continue
				}
				at, _ := slices.BinarySearchFunc(best, product, func(h index.Hit, p float32) int {
					if h.Score > p {
						return -1
					}
					return 1
				})
				best = slices.Insert(best, at, index.Hit{ID: e.ID, Score: product})
				best = best[:min(len(best), atOnce)]
			}
			answers[i] = ids(best)
		})
	}
	working.Wait()
	return answers
}

// Fill puts the entries into a new collection, a thousand at a time.
func (w *Workload) Fill(b testing.TB, c index.Collections) index.Index {
	b.Helper()
	x, err := c.Create(b.Context(), tenant, "bench", index.Spec{Dim: w.Dim, Fields: fieldsSpec})
	if err != nil {
		b.Fatalf("create: %v", err)
	}
	for part := range slices.Chunk(w.Entries, 1000) {
		if err := x.Upsert(b.Context(), part...); err != nil {
			b.Fatalf("upsert: %v", err)
		}
	}
	return x
}

// Bench asks one case's queries, one at a time, and reports recall@10 and
// queries per second of this process's processor time.
func (w *Workload) Bench(b *testing.B, x index.Index, which int) {
	b.Helper()
	answers := make([][]index.Hit, len(w.Queries))
	ask := func(i int) {
		got, err := x.Search(b.Context(), index.Query{Vectors: w.Queries[i : i+1], K: atOnce, Filter: w.Cases[which].Filter})
		if err != nil {
			b.Fatalf("search: %v", err)
		}
		answers[i] = got[0]
	}
	for i := range w.Queries { // for recall, and to warm up
		ask(i)
	}
	b.ResetTimer()
	b.ReportAllocs()
	before := processorSeconds()
	asked := 0
	for b.Loop() {
		ask(asked % len(w.Queries))
		asked++
	}
	b.ReportMetric(float64(asked)/(processorSeconds()-before), "queries/cpu-s")
	b.ReportMetric(w.Recall(which, answers), "recall@10")
}

// Recall is the mean share of the exact answers that a case's answers have.
func (w *Workload) Recall(which int, answers [][]index.Hit) float64 {
	var sum float64
	for i, hits := range answers {
		want := make([]index.Hit, len(w.truth[which][i]))
		for j, id := range w.truth[which][i] {
			want[j].ID = id
		}
		sum += recall(hits, want)
	}
	return sum / float64(len(answers))
}

// Write leaves the load in files for other programs: vectors.f32 and
// queries.f32, rows of little-endian float32; for case number i passes-i.u8, a
// byte an entry, and truth-i.u32, ten positions a query,
// 2³²-1 where fewer pass.
func (w *Workload) Write(dir string) error {
	vectors := make([][]float32, len(w.Entries))
	at := map[upnext.ItemID]uint32{}
	for i, e := range w.Entries {
		vectors[i], at[e.ID] = e.Vector, uint32(i)
	}
	files := map[string]any{"vectors.f32": slices.Concat(vectors...), "queries.f32": slices.Concat(w.Queries...)}
	for i, c := range w.Cases {
		passes := make([]byte, len(w.Entries))
		for j, e := range w.Entries {
			if c.Filter.Match(e.Fields, filter.Vars{}) {
				passes[j] = 1
			}
		}
		var truth []uint32
		for _, answer := range w.truth[i] {
			for j := range atOnce {
				position := ^uint32(0)
				if j < len(answer) {
					position = at[answer[j]]
				}
				truth = append(truth, position)
			}
		}
		files[fmt.Sprintf("passes-%d.u8", i)], files[fmt.Sprintf("truth-%d.u32", i)] = passes, truth
	}
	for name, content := range files {
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, content); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Bench measures an engine with 100,000 entries of 384 components.
func Bench(b *testing.B, open func(b *testing.B) index.Collections) {
	w := NewWorkload(b, 100_000, 384, 200)
	x := w.Fill(b, open(b))
	for i, c := range w.Cases {
		b.Run(c.Name, func(b *testing.B) { w.Bench(b, x, i) })
	}
}
