package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomMatrix has weights in all of [-127, 127].
func randomMatrix(t testing.TB, rng *rand.Rand, out, in int) *Matrix {
	t.Helper()
	m, err := NewMatrix(out, in)
	if err != nil {
		t.Fatal(err)
	}
	bias := make([]float32, out)
	q := make([]byte, Block)
	for o := range out {
		bias[o] = rng.Float32() - 0.5
		for b := range in / Block {
			for i := range q {
				q[i] = byte(int8(rng.IntN(255) - 127))
			}
			m.SetBlock(o, b, rng.Float32()/100, string(q))
		}
	}
	if err := m.SetBias(bias); err != nil {
		t.Fatal(err)
	}
	return m
}

func randomFloats(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// The sum in float64 over the dequantised values, straight from the definition.
func exact(m *Matrix, r *Rows, row, o int) float64 {
	sum := float64(m.bias[o])
	for k := range m.In {
		at := o / panel
		w := float64(int(m.w[(at*m.In+k/4*4)*panel+o%panel*4+k%4]) - 128)
		w *= float64(m.d[(at*(m.In/Block)+k/Block)*panel+o%panel])
		sum += w * float64(r.Q[row*r.Width+k]) * float64(r.D[(row*r.Width+k)/Block])
	}
	return sum
}

func TestMulIsTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := randomMatrix(t, rng, 64, 96)
	var r Rows
	r.Reset(8, 96)
	Plain.Quantize(&r, randomFloats(rng, 8*96))
	for _, l := range Levels() {
		y := make([]float32, 8*64)
		l.Mul(y, m, &r, 0, 7)
		for row := range 7 {
			for o := range 64 {
				if got, want := float64(y[row*64+o]), exact(m, &r, row, o); math.Abs(got-want) > 1e-4 {
					t.Fatalf("%v: row %d, output %d: got %v, want %v", l, row, o, got, want)
				}
			}
		}
	}
}

func TestLevelsAgreeBitForBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, shape := range []struct{ out, in, width, from, n int }{
		{32, 32, 32, 0, 1}, {32, 64, 64, 0, 4}, {256, 512, 512, 2, 13},
		{256, 1280, 256, 0, 9}, {256, 768, 256, 3, 5}, {320, 512, 512, 0, 1},
	} {
		m := randomMatrix(t, rng, shape.out, shape.in)
		rows := shape.from + shape.n + 3 + shape.in/shape.width
		x := randomFloats(rng, rows*shape.width)
		clear(x[:shape.width]) // a row of zeros has no scale
		var want []float32
		for _, l := range Levels() {
			var r Rows
			r.Reset(rows, shape.width)
			l.Quantize(&r, x)
			got := make([]float32, (shape.n+3)*shape.out)
			l.Mul(got, m, &r, shape.from, shape.n)
			got = got[:shape.n*shape.out]
			if l == Plain {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%+v: %v differs from plain", shape, l)
			}
		}
	}
}

func TestMatrixShapes(t *testing.T) {
	for _, shape := range [][2]int{{0, 32}, {32, 0}, {-32, 32}, {16, 32}, {32, 48}} {
		if _, err := NewMatrix(shape[0], shape[1]); err == nil {
			t.Errorf("NewMatrix%v: got no error", shape)
		}
	}
	m, err := NewMatrix(32, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetBias(make([]float32, 31)); err == nil {
		t.Error("a bias too short: got no error")
	}
}

// FuzzQuantize: every level gives the same bytes, and they stand for the input.
func FuzzQuantize(f *testing.F) {
	f.Add(uint64(1), float32(1))
	f.Add(uint64(2), float32(1e-30))
	f.Add(uint64(3), float32(1e30))
	f.Fuzz(func(t *testing.T, seed uint64, scale float32) {
		if s := math.Abs(float64(scale)); !(s > 1e-30 && s < 1e30) {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		x := make([]float32, 4*Block)
		for i := range x {
			x[i] = (rng.Float32() - 0.5) * scale
		}
		var want Rows
		want.Reset(4, Block)
		Plain.Quantize(&want, x)
		for i, v := range x {
			got := float32(want.Q[i]) * want.D[i/Block]
			if d := math.Abs(float64(got - v)); d > float64(want.D[i/Block])*0.51 {
				t.Fatalf("value %v came back as %v, scale %v", v, got, want.D[i/Block])
			}
		}
		for _, l := range Levels() {
			var got Rows
			got.Reset(4, Block)
			l.Quantize(&got, x)
			if !slices.Equal(got.Q, want.Q) || !slices.Equal(got.D, want.D) || !slices.Equal(got.S, want.S) {
				t.Fatalf("%v: seed %d, scale %v differs from plain", l, seed, scale)
			}
		}
	})
}

func BenchmarkMul(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	m := randomMatrix(b, rng, 256, 1280)
	var r Rows
	r.Reset(72, 256)
	Plain.Quantize(&r, randomFloats(rng, 72*256))
	y := make([]float32, 64*256)
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			for b.Loop() {
				l.Mul(y, m, &r, 0, 64)
			}
			b.ReportMetric(64*256*1280*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
