package matrix

import (
	"math"
	"testing"
)

func TestEigen(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 57} {
		a := wider(spd(n, uint64(n)))
		whole := append([]float64(nil), a...)
		values, vectors := Eigen(a, n)
		for v := range n {
			if v > 0 && values[v] > values[v-1] {
				t.Fatalf("n = %d: values rise: %v", n, values)
			}
			x := vectors[v*n : (v+1)*n]
			for i := range n {
				if got, want := dot64(whole[i*n:(i+1)*n], x), values[v]*x[i]; math.Abs(got-want) > 1e-9*values[0] {
					t.Fatalf("n = %d: (Ax)[%d] is %v, λx is %v", n, i, got, want)
				}
			}
			for u := range n {
				want := 0.0
				if u == v {
					want = 1
				}
				if got := dot64(x, vectors[u*n:(u+1)*n]); math.Abs(got-want) > 1e-9 {
					t.Fatalf("n = %d: vectors %d and %d: product %v", n, u, v, got)
				}
			}
		}
	}
}

func TestEigenOfAlike(t *testing.T) {
	// A diagonal of equals and zeros, where reflectors and rotations have nothing to do.
	const n = 5
	a := make([]float64, n*n)
	a[0], a[6], a[12] = 3, 3, 3
	values, _ := Eigen(a, n)
	if got := values; got[0] != 3 || got[2] != 3 || got[3] != 0 {
		t.Errorf("got %v", got)
	}
}

func TestLeading(t *testing.T) {
	const rows, columns, k = 70, 50, 6
	s, dense := sprinkled(rows, columns, 4)
	gram := make([]float64, columns*columns)
	for a := range columns {
		for b := range columns {
			for i := range rows {
				gram[a*columns+b] += float64(dense[i*columns+a]) * float64(dense[i*columns+b])
			}
		}
	}
	want, wantVectors := Eigen(gram, columns)
	got, vectors, err := Leading(t.Context(), s, k, 30, 1)
	if err != nil {
		t.Fatal(err)
	}
	for v := range k {
		if math.Abs(float64(got[v])-want[v]) > 1e-3*want[0] {
			t.Errorf("value %d: got %v, want %v", v, got[v], want[v])
		}
		var along float64
		for i := range columns {
			along += float64(vectors[i*k+v]) * wantVectors[v*columns+i]
		}
		if v < k-1 && math.Abs(math.Abs(along)-1) > 1e-2 {
			t.Errorf("vector %d: cosine %v", v, along)
		}
	}
}

// A matrix of rank 1 has one vector, however many are asked for.
func TestLeadingOfLowRank(t *testing.T) {
	s := Sparse{Columns: 9, Start: []int{0}}
	for range 8 {
		s.Column, s.Value = append(s.Column, 1, 4), append(s.Value, 1, 1)
		s.Start = append(s.Start, len(s.Column))
	}
	values, vectors, err := Leading(t.Context(), s, 5, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(float64(values[0])-16) > 1e-3 || values[1] != 0 {
		t.Errorf("values %v, want 16, 0, …", values)
	}
	for i, v := range vectors {
		if math.IsNaN(float64(v)) || i%5 > 0 && v != 0 {
			t.Fatalf("vectors %v", vectors)
		}
	}
}
