package quantised

import (
	"math"
	"math/rand/v2"
	"testing"
)

// unit makes vectors of length 1.
func unit(n, dim int) [][]float32 {
	rng := rand.New(rand.NewPCG(41, 1))
	all := make([][]float32, n)
	for i := range all {
		v, square := make([]float32, dim), 0.0
		for j := range v {
			v[j] = float32(rng.NormFloat64())
			square += float64(v[j]) * float64(v[j])
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(square))
		}
		all[i] = v
	}
	return all
}

// TestForms: all forms agree to the bit with the plain one, by row and by id, also
// at the ends of what a byte holds.
func TestForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	const rows = 12
	ids := []uint32{11, 0, 3, 3, 7}
	for _, k := range Kernels() {
		for _, stride := range []int{64, 128, 384} {
			query, bytes := make([]int8, stride), make([]byte, rows*stride)
			for round := range 4 {
				for i := range query {
					if query[i] = int8(rng.IntN(255) - 127); round == 0 {
						query[i] = []int8{-127, 127, -128}[i%3]
					}
				}
				for i := range bytes {
					if bytes[i] = byte(rng.IntN(256)); round == 0 {
						bytes[i] = 255
					}
				}
				got, want, some := make([]int32, rows), make([]int32, rows), make([]int32, len(ids))
				k.Scan(&query[0], &bytes[0], rows, stride, &got[0])
				scanPlain(&query[0], &bytes[0], rows, stride, &want[0])
				k.Gather(&query[0], &bytes[0], &ids[0], len(ids), stride, &some[0])
				for i := range want {
					if got[i] != want[i] {
						t.Errorf("%s, stride %d: row %d is %d, want %d", k.Name, stride, i, got[i], want[i])
					}
				}
				for i, id := range ids {
					if some[i] != want[id] {
						t.Errorf("%s, stride %d: row %d by id is %d, want %d", k.Name, stride, id, some[i], want[id])
					}
				}
			}
		}
	}
}

// TestProducts: bytes keep inner products of unit vectors to half a hundredth and
// better.
func TestProducts(t *testing.T) {
	vectors := unit(50, 100)
	row, query := make([]byte, Padded(100)), make([]int8, Padded(100))
	for i, v := range vectors[1:] {
		scale := Row(v, row)
		queryScale, bias := Query(vectors[i], query)
		got := float32(dot(query, row)-bias) * scale * queryScale
		var want float32
		for j, x := range v {
			want += x * vectors[i][j]
		}
		if got-want > 0.005 || want-got > 0.005 {
			t.Errorf("product %d: got %v, want %v", i, got, want)
		}
	}
}
