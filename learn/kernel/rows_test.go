package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const longestTail = 100 // every length up to it is tried

func TestExpRow(t *testing.T) {
	for _, l := range Levels() {
		rng := rand.New(rand.NewPCG(1, 1))
		for n := range longestTail {
			x := append(random(rng, n), 123)
			if n > 2 {
				x[1], x[n-1] = -200, 300 // beyond both bounds
			}
			row, sum := append([]float32{}, x...), 0.
			got := l.ExpRow(row[:n], .5)
			for i, v := range x[:n] {
				want := math.Exp(min(max(float64(v)-.5, -87), 87))
				sum += want
				if math.Abs(float64(row[i])-want) > 1e-6*want {
					t.Fatalf("%v, %d of %d: exp(%v): got %v, want %v", l, i, n, v-.5, row[i], want)
				}
			}
			if math.Abs(float64(got)-sum) > 1e-5*sum || row[n] != 123 {
				t.Fatalf("%v, %d: got the sum %v and %v behind, want %v and 123", l, n, got, row[n], sum)
			}
		}
	}
}

// Over the whole range the result keeps six digits, and what is no number does
// no harm to the others.
func TestExpRowRange(t *testing.T) {
	for _, l := range Levels() {
		var x []float32
		for v := float32(-87); v <= 87; v += .0137 {
			x = append(x, v)
		}
		row := append([]float32{}, x...)
		l.ExpRow(row, 0)
		for i, v := range x {
			if want := math.Exp(float64(v)); math.Abs(float64(row[i])-want) > 1e-6*want {
				t.Fatalf("%v: exp(%v): got %v, want %v", l, v, row[i], want)
			}
		}
		odd := []float32{0, float32(math.NaN()), float32(math.Inf(-1)), 0}
		if got := l.ExpRow(odd, 0); got != 2 || odd[3] != 1 {
			t.Errorf("%v: beside NaN: got %v, the sum %v, want 1 and 2", l, odd, got)
		}
	}
}

func TestMaxRow(t *testing.T) {
	for _, l := range Levels() {
		for n := 1; n < longestTail; n++ {
			for at := range n {
				x := make([]float32, n+1)
				for i := range x {
					x[i] = -5
				}
				x[at], x[n] = -2, 9
				if got := l.MaxRow(x[:n]); got != -2 {
					t.Fatalf("%v, %d at %d: got %v, want -2", l, n, at, got)
				}
			}
		}
		if got := l.MaxRow(nil); got != -math.MaxFloat32 {
			t.Errorf("%v: of nothing: got %v", l, got)
		}
	}
}

func TestDotAndAxpy(t *testing.T) {
	for _, l := range Levels() {
		rng := rand.New(rand.NewPCG(2, 2))
		for n := range longestTail {
			x, y, codes := random(rng, n), append(random(rng, n), 123), make([]int8, n)
			var want, wantBytes, size float64
			for i := range x {
				codes[i] = int8(rng.IntN(256) - 128)
				want += float64(x[i]) * float64(y[i])
				wantBytes += float64(x[i]) * float64(codes[i])
				size += math.Abs(float64(x[i]))
			}
			if got := float64(l.Dot(x, y[:n])); math.Abs(got-want) > 1e-5*(1+size) {
				t.Errorf("%v: dot of %d: got %v, want %v", l, n, got, want)
			}
			if got := float64(l.DotBytes(x, codes)); math.Abs(got-wantBytes) > 1e-5*(1+128*size) {
				t.Errorf("%v: dot of %d bytes: got %v, want %v", l, n, got, wantBytes)
			}
			z := append([]float32{}, y...)
			l.Axpy(z[:n], -1.5, x)
			for i := range x {
				if want := float64(y[i]) - 1.5*float64(x[i]); math.Abs(float64(z[i])-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("%v: axpy of %d at %d: got %v, want %v", l, n, i, z[i], want)
				}
			}
			w := append([]float32{}, y...)
			l.AxpyPlus(w[:n], -1.5, x, 7)
			sum, squares := l.Sums(x)
			var wantSum, wantSquares float64
			for i := range x {
				if want := float64(y[i]) - 1.5*float64(x[i]) + 7; math.Abs(float64(w[i])-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%v: axpy plus 7 of %d at %d: got %v, want %v", l, n, i, w[i], want)
				}
				wantSum += float64(x[i])
				wantSquares += float64(x[i]) * float64(x[i])
			}
			if math.Abs(sum-wantSum) > 1e-9*(1+size) || math.Abs(squares-wantSquares) > 1e-9*(1+wantSquares) {
				t.Errorf("%v: sums of %d: got %v, %v, want %v, %v", l, n, sum, squares, wantSum, wantSquares)
			}
			if z[n] != 123 || w[n] != 123 {
				t.Errorf("%v: axpy of %d wrote beyond", l, n)
			}
		}
	}
}

func BenchmarkRows(b *testing.B) {
	const n = 3416
	rng := rand.New(rand.NewPCG(3, 3))
	x, y, codes := random(rng, n), random(rng, n), make([]int8, n)
	for _, l := range Levels() {
		for name, do := range map[string]func(){
			"exp":   func() { l.ExpRow(x, 1) },
			"max":   func() { l.MaxRow(y) },
			"dot":   func() { l.Dot(x, y) },
			"bytes": func() { l.DotBytes(x, codes) },
			"axpy":  func() { l.Axpy(y, 1e-9, x) },
		} {
			b.Run(fmt.Sprintf("%s/%v", name, l), func(b *testing.B) {
				for b.Loop() {
					do()
				}
				b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e9, "G/s")
			})
		}
	}
}
