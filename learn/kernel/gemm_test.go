package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func random(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// checkGemm compares a product with its definition in float64, at strides with
// room between the rows, and looks for writes beyond C.
func checkGemm(t *testing.T, l Level, rng *rand.Rand, rows, columns, depth int, transposed, add bool) {
	t.Helper()
	const guard = 123
	lda, ldb, ldc := depth+rng.IntN(3), columns+rng.IntN(3), columns+rng.IntN(3)
	if rng.IntN(4) == 0 {
		ldb = (columns + aliased - 1) / aliased * aliased // the stride that is packed
	}
	a := Rows(random(rng, rows*lda), lda)
	if transposed {
		lda = rows + rng.IntN(3)
		a = Rows(random(rng, depth*lda), lda).T()
	}
	b, c := Rows(random(rng, depth*ldb), ldb), Rows(random(rng, rows*ldc), ldc)
	for i := range rows {
		for j := columns; j < ldc; j++ {
			c.V[i*ldc+j] = guard
		}
	}
	old := append([]float32{}, c.V...)
	l.Gemm(rows, columns, depth, a, b, c, add)
	for i := range rows {
		for j := range ldc {
			got, want, size := float64(c.V[i*ldc+j]), float64(guard), 0.
			if j < columns {
				if want = 0; add {
					want = float64(old[i*ldc+j])
				}
				for k := range depth {
					p := float64(a.V[i*a.Row+k*a.Col]) * float64(b.V[k*ldb+j])
					want += p
					size += math.Abs(p)
				}
			}
			if math.Abs(got-want) > 1e-5*size+1e-6*math.Abs(want) {
				t.Fatalf("%v %d×%d×%d transposed %v add %v: element %d,%d: got %v, want %v", l, rows, columns, depth, transposed, add, i, j, got, want)
			}
		}
	}
}

func TestGemmIsTheDefinition(t *testing.T) {
	for _, l := range Levels() {
		rng := rand.New(rand.NewPCG(1, 1))
		for rows := 1; rows <= 14; rows++ {
			for columns := 1; columns <= 34; columns++ {
				for _, depth := range []int{1, 2, 7} {
					checkGemm(t, l, rng, rows, columns, depth, rows%2 == 0, columns%2 == 0)
				}
			}
		}
		for _, s := range [][3]int{{1, 3416, 64}, {1, 64, 3}, {1, 150, 300}, {96, 300, 64}, {64, 64, 700}, {tall + 5, 33, deep + 1}, {2*tall + 1, 16, 2 * deep}, {3, 5, 0}, {1, 70, 0}} {
			for flags := range 4 {
				checkGemm(t, l, rng, s[0], s[1], s[2], flags&1 != 0, flags&2 != 0)
			}
		}
	}
}

func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), byte(13), byte(33), uint16(300), true, false)
	f.Fuzz(func(t *testing.T, seed uint64, rows, columns byte, depth uint16, transposed, add bool) {
		for _, l := range Levels() {
			checkGemm(t, l, rand.New(rand.NewPCG(seed, 1)), int(rows), int(columns), int(depth%600), transposed, add)
		}
	})
}

// However a product is cut, its bits stay: models that divide their work differ
// in nothing.
func TestCutsChangeNoBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	const rows, columns, depth = 61, 53, 301
	a, b, old := random(rng, rows*depth), random(rng, depth*columns), random(rng, rows*columns)
	for _, l := range Levels() {
		want := append([]float32{}, old...)
		l.Gemm(rows, columns, depth, Rows(a, depth), Rows(b, columns), Rows(want, columns), true)
		for workers := 1; workers <= 5; workers++ {
			got := append([]float32{}, old...)
			l.ParallelGemm(workers, rows, columns, depth, Rows(a, depth), Rows(b, columns), Rows(got, columns), true)
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("%v, %d workers: element %d: got %v, want %v", l, workers, i, got[i], want[i])
				}
			}
		}
		for i := range rows { // row by row, in two strips
			l.Gemm(1, 5, depth, Rows(a, depth).At(i, 0), Rows(b, columns), Rows(old, columns).At(i, 0), true)
			l.Gemm(1, columns-5, depth, Rows(a, depth).At(i, 0), Rows(b, columns).At(0, 5), Rows(old, columns).At(i, 5), true)
		}
		for i := range old {
			if l != Plain && old[i] != want[i] {
				t.Fatalf("%v, row by row: element %d: got %v, want %v", l, i, old[i], want[i])
			}
		}
		old = random(rng, rows*columns)
	}
}

func TestParallelCoversAll(t *testing.T) {
	for n := range 70 {
		for workers := 1; workers <= 5; workers++ {
			seen := make([]int32, n)
			Parallel(workers, n, 12, func(_, from, to int) {
				if from%12 != 0 {
					t.Errorf("%d by %d: a piece begins at %d", n, workers, from)
				}
				for i := from; i < to; i++ {
					seen[i]++
				}
			})
			for i, got := range seen {
				if got != 1 {
					t.Fatalf("%d by %d: %d is done %d times", n, workers, i, got)
				}
			}
		}
	}
}

// A short slice is found before the assembly writes beyond it.
func TestGemmShortSlices(t *testing.T) {
	for name, n := range map[string][3]int{"a": {5, 6, 4}, "b": {6, 5, 4}, "c": {6, 6, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("short %s: no panic", name)
				}
			}()
			Best().Gemm(2, 2, 3, Rows(make([]float32, n[0]), 3), Rows(make([]float32, n[1]), 2), Rows(make([]float32, n[2]), 2), false)
		}()
	}
}

func BenchmarkGemm(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, s := range [][3]int{{1600, 192, 64}, {96, 3416, 64}, {96, 64, 3416}, {3416, 64, 96}, {24, 200, 32}, {1024, 1024, 1024}, {1, 3416, 64}} {
		x, y, z := random(rng, s[0]*s[2]), random(rng, s[2]*s[1]), make([]float32, s[0]*s[1])
		for _, l := range Levels() {
			for _, transposed := range []bool{false, true} {
				a := Rows(x, s[2])
				if transposed {
					a = Rows(x, s[0]).T()
				}
				b.Run(fmt.Sprintf("%dx%dx%d/t=%v/%v", s[0], s[1], s[2], transposed, l), func(b *testing.B) {
					for b.Loop() {
						l.Gemm(s[0], s[1], s[2], a, Rows(y, s[1]), Rows(z, s[1]), false)
					}
					b.ReportMetric(2*float64(s[0]*s[1]*s[2])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
				})
			}
		}
	}
}
