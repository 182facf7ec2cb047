package collab

import (
	"math"
	"math/rand/v2"
	"testing"

	"upnext/learn"
)

// The products without S are those with it.
func TestLags(t *testing.T) {
	const items = 7
	rng := rand.New(rand.NewPCG(1, 2))
	log := learn.Log{Items: items}
	for _, n := range []int{1, 2, 3, 9, 30} {
		h := learn.History{}
		for range n {
			h.Items = append(h.Items, int32(rng.IntN(items))) // repeats too
		}
		log.Viewers = append(log.Viewers, h)
	}
	decays := []Decay{{Weight: 1, Tau: 1.5, Last: 3}, {Weight: .5, Tau: 6, Last: 12}, {Weight: .1, Last: 5}}
	m := len(decays) * items
	wantG, wantT := make([]float64, m*m), make([]float64, m*items)
	for _, h := range log.Viewers {
		for now := 1; now < len(h.Items); now++ {
			s := make([]float64, m)
			for u, d := range decays {
				for age := range now {
					s[u*items+int(h.Items[now-1-age])] += d.of(age, 0)
				}
			}
			for i := range m {
				for j := range m {
					wantG[i*m+j] += s[i] * s[j]
				}
				wantT[i*items+int(h.Items[now])] += s[i]
			}
		}
	}
	g, target, err := newLags(decays).products(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		for j := i; j < m; j++ {
			if got, want := float64(g[i*m+j]), wantG[i*m+j]; math.Abs(got-want) > 1e-4 {
				t.Fatalf("SᵀS (%d, %d): got %v, want %v", i, j, got, want)
			}
		}
		for j := range items {
			if got, want := float64(target[i*items+j]), wantT[i*items+j]; math.Abs(got-want) > 1e-4 {
				t.Fatalf("SᵀT (%d, %d): got %v, want %v", i, j, got, want)
			}
		}
	}
}
