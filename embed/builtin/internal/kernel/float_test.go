package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near compares to the precision that another order of adding leaves.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-4*(1+math.Abs(want)) }

func cut(v float64) float64 { return min(max(v, 0), 6) }

func TestMulFloatIsTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, shape := range []struct{ in, out, n int }{
		{1, 1, 1}, {27, 32, 8}, {16, 96, 4}, {96, 24, 7}, {240, 40, 12}, {320, 1280, 49}, {5, 47, 3},
	} {
		w, bias := randomFloats(rng, shape.in*shape.out), randomFloats(rng, shape.out)
		m, err := NewFloats(shape.in, shape.out, w, bias)
		if err != nil {
			t.Fatal(err)
		}
		rows := (shape.n + 3) / 4 * 4
		x, old := randomFloats(rng, rows*shape.in), randomFloats(rng, rows*shape.out)
		for _, l := range Levels() {
			for op := range Relu6 | Add + 1 {
				const guard = 123
				y := append(append([]float32{}, old...), guard)
				l.MulFloat(y[:len(old)], m, x, shape.n, op)
				for i := range shape.n * shape.out {
					row, o := i/shape.out, i%shape.out
					want := float64(bias[o])
					if op&Add != 0 {
						want += float64(old[i])
					}
					for k := range shape.in {
						want += float64(x[row*shape.in+k]) * float64(w[k*shape.out+o])
					}
					if op&Relu6 != 0 {
						want = cut(want)
					}
					if !near(float64(y[i]), want) {
						t.Fatalf("%v %+v op %d: row %d, output %d: got %v, want %v", l, shape, op, row, o, y[i], want)
					}
				}
				if y[len(old)] != guard {
					t.Fatalf("%v %+v: wrote beyond the rows", l, shape)
				}
			}
		}
	}
}

func TestConvolveIsTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, shape := range []struct{ size, channels, side, stride int }{
		{3, 16, 4, 1}, {3, 32, 8, 2}, {5, 48, 7, 1}, {5, 144, 8, 2}, {3, 96, 5, 2}, {5, 16, 2, 1}, {1, 16, 3, 1},
	} {
		c := shape.channels
		w, bias := randomFloats(rng, shape.size*shape.size*c), randomFloats(rng, c)
		m, err := NewDepth(shape.size, c, w, bias)
		if err != nil {
			t.Fatal(err)
		}
		x := randomFloats(rng, shape.side*shape.side*c)
		out := (shape.side + shape.stride - 1) / shape.stride
		margin := max((out-1)*shape.stride+shape.size-shape.side, 0) / 2
		for _, l := range Levels() {
			const guard = 123
			y := make([]float32, out*out*c+1)
			y[out*out*c] = guard
			l.Convolve(y[:out*out*c], m, x, shape.side, shape.stride)
			for i, got := range y[:out*out*c] {
				oy, ox, ch := i/c/out, i/c%out, i%c
				want := float64(bias[ch])
				for ky := range shape.size {
					for kx := range shape.size {
						py, px := oy*shape.stride-margin+ky, ox*shape.stride-margin+kx
						if py >= 0 && px >= 0 && py < shape.side && px < shape.side {
							want += float64(x[(py*shape.side+px)*c+ch]) * float64(w[(ky*shape.size+kx)*c+ch])
						}
					}
				}
				if want = cut(want); !near(float64(got), want) {
					t.Fatalf("%v %+v: pixel %d,%d channel %d: got %v, want %v", l, shape, oy, ox, ch, got, want)
				}
			}
			if y[out*out*c] != guard {
				t.Fatalf("%v %+v: wrote beyond the picture", l, shape)
			}
		}
	}
}

func TestFloatShapes(t *testing.T) {
	if _, err := NewFloats(2, 2, make([]float32, 3), make([]float32, 2)); err == nil {
		t.Error("3 weights of 4: got no error")
	}
	if _, err := NewDepth(3, 8, make([]float32, 72), make([]float32, 8)); err == nil {
		t.Error("8 channels: got no error")
	}
}

func BenchmarkMulFloat(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	m, err := NewFloats(112, 672, randomFloats(rng, 112*672), make([]float32, 672))
	if err != nil {
		b.Fatal(err)
	}
	x, y := randomFloats(rng, 196*112), make([]float32, 196*672)
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			for b.Loop() {
				l.MulFloat(y, m, x, 196, Relu6)
			}
			b.ReportMetric(196*112*672*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

func BenchmarkConvolve(b *testing.B) {
	rng := rand.New(rand.NewPCG(4, 4))
	m, err := NewDepth(5, 672, randomFloats(rng, 25*672), make([]float32, 672))
	if err != nil {
		b.Fatal(err)
	}
	x, y := randomFloats(rng, 196*672), make([]float32, 196*672)
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			for b.Loop() {
				l.Convolve(y, m, x, 14, 1)
			}
			b.ReportMetric(196*25*672*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
