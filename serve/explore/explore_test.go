package explore

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChances: they sum to 1, what does well has the better one, what is hardly
// known keeps one, and equal arguments give equal ones.
func TestChances(t *testing.T) {
	tried := []Tried{{1, 40, 20}, {2, 40, 2}, {3, 0, 0}, {4, 0, 9}}
	arms := Arms(tried, 0.1, DefaultSettings(), 7)
	sum := 0.0
	for _, a := range arms {
		sum += a.Chance
		if !(a.Chance > 0) {
			t.Errorf("item %d has no chance", a.Item)
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("chances sum to %v", sum)
	}
	if arms[0].Chance <= arms[1].Chance || arms[3].Chance <= arms[2].Chance {
		t.Errorf("%+v: what viewers take to has no better chance", arms)
	}
	if again := Arms(tried, 0.1, DefaultSettings(), 7); !slices.Equal(again, arms) {
		t.Errorf("%+v, then %+v", arms, again)
	}
	if arms := Arms(nil, 0.1, DefaultSettings(), 7); len(arms) != 0 {
		t.Errorf("%+v of nothing", arms)
	}
}

// TestPropensity: over many viewers each arm is drawn as often as its propensity
// says, whichever of the arms a viewer may be shown.
func TestPropensity(t *testing.T) {
	const viewers = 200_000
	arms := Arms([]Tried{{1, 40, 20}, {2, 40, 12}, {3, 5, 1}, {4, 0, 0}, {5, 30, 9}}, 0.2, DefaultSettings(), 3)
	for _, allowed := range [][]Arm{arms, {arms[1], arms[3]}, arms[2:]} {
		drawn, said := make([]float64, len(allowed)), make([]float64, len(allowed))
		for v := range viewers {
			at, p := Draw(allowed, uint64(v))
			drawn[at]++
			said[at] = p
		}
		for i := range allowed {
			freq := drawn[i] / viewers
			if sd := math.Sqrt(said[i] * (1 - said[i]) / viewers); math.Abs(freq-said[i]) > 5*sd {
				t.Errorf("item %d: drawn with frequency %.4f, propensity %.4f (sd %.4f)", allowed[i].Item, freq, said[i], sd)
			}
		}
	}
	if at, _ := Draw(nil, 1); at != -1 {
		t.Errorf("drew %d of nothing", at)
	}
	if a, _ := Draw(arms, 12); func() int { b, _ := Draw(arms, 12); return b }() != a {
		t.Error("a viewer's draw changes though nothing did")
	}
}

// TestFindsGood: among 100 new items, ten of which viewers take to, Thompson
// sampling gives these most of the showings in the end, and finds more than
// showing each alike would.
func TestFindsGood(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	set := DefaultSettings()
	rates := make([]float64, 100)
	tried := make([]Tried, len(rates))
	for i := range rates {
		rates[i], tried[i].Item = 0.05, int32(i)
		if i%10 == 3 {
			rates[i] = 0.4
		}
	}
	takenAt := func(rounds int) (rate float64) {
		taken := 0
		for range rounds {
			arms := Arms(tried, 0.1, set, rng.Uint64())
			for range 20 {
				at, _ := Draw(arms, rng.Uint64())
				tried[at].Shown++
				if rng.Float64() < rates[at] {
					tried[at].Taken++
					taken++
				}
			}
		}
		return float64(taken) / float64(20*rounds)
	}
	first := takenAt(20)
	takenAt(60)
	last := takenAt(20)
	if alike := 0.085; first < alike*0.8 || last < 2.5*alike {
		t.Errorf("taken to at %.3f at first, %.3f at last; showing each alike gives %.3f", first, last, alike)
	}
}

// TestPlaces: as many as the share says, on the page, never its first, none twice.
func TestPlaces(t *testing.T) {
	for count := range 201 {
		for _, share := range []float64{0, 0.05, 0.1, 0.33, 0.5, 1} {
			got := Places(count, share)
			if want := min(int(math.Round(float64(count)*share)), count/2); len(got) != want {
				t.Fatalf("%d of %d places for %v, want %d", len(got), count, share, want)
			}
			for i, p := range got {
				if p < 2 || p > count || i > 0 && p <= got[i-1] {
					t.Fatalf("places %v of %d", got, count)
				}
			}
		}
	}
	if got := Places(20, 0.05); !slices.Equal(got, []int{13}) {
		t.Errorf("places %v of 20, want 13", got)
	}
}

func BenchmarkArms(b *testing.B) {
	tried := make([]Tried, 128)
	for i := range tried {
		tried[i] = Tried{int32(i), i % 50, i % 7}
	}
	for b.Loop() {
		Arms(tried, 0.1, DefaultSettings(), 1)
	}
}

func BenchmarkDraw(b *testing.B) {
	tried := make([]Tried, 128)
	arms := Arms(tried, 0.1, DefaultSettings(), 1)
	for b.Loop() {
		Draw(arms, 5)
	}
}
