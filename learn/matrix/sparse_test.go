package matrix

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sprinkled makes a sparse matrix and its dense form.
func sprinkled(rows, columns, seed int) (Sparse, []float32) {
	rng := rand.New(rand.NewPCG(uint64(seed), 3))
	s, dense := Sparse{Columns: columns, Start: []int{0}}, make([]float32, rows*columns)
	for i := range rows {
		for j := range columns {
			if rng.IntN(5) == 0 {
				v := float32(rng.NormFloat64())
				s.Column, s.Value, dense[i*columns+j] = append(s.Column, int32(j)), append(s.Value, v), v
			}
		}
		s.Start = append(s.Start, len(s.Column))
	}
	return s, dense
}

func TestTransposed(t *testing.T) {
	s, dense := sprinkled(37, 23, 1)
	tr := s.T()
	for j := range 23 {
		columns, values := tr.Row(j)
		got := make([]float32, 37)
		for k, i := range columns {
			got[i] = values[k]
		}
		for i := range got {
			if got[i] != dense[i*23+j] {
				t.Fatalf("(%d, %d) is %v, want %v", j, i, got[i], dense[i*23+j])
			}
		}
	}
	if back := tr.T(); !slices.Equal(back.Column, s.Column) || !slices.Equal(back.Value, s.Value) || !slices.Equal(back.Start, s.Start) {
		t.Error("transposed twice it is another")
	}
}

func TestGram(t *testing.T) {
	const rows, columns = 90, 150
	s, dense := sprinkled(rows, columns, 2)
	got, err := Gram(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for a := range columns {
		for b := range columns {
			var want float64
			for i := range rows {
				want += float64(dense[i*columns+a]) * float64(dense[i*columns+b])
			}
			if math.Abs(float64(got[a*columns+b])-want) > 1e-4 {
				t.Fatalf("(%d, %d) is %v, want %v", a, b, got[a*columns+b], want)
			}
		}
	}
}
