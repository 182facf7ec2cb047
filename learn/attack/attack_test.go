package attack_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"upnext/learn"
	"upnext/learn/attack"
)

// world is 100 viewers of 20 acts; item i is the more popular the smaller i is.
func world(timed bool) learn.Log {
	random := rand.New(rand.NewPCG(3, 0))
	log := learn.Log{Items: 60}
	for range 100 {
		var h learn.History
		for len(h.Items) < 20 {
			if item := int32(60 * math.Pow(random.Float64(), 2)); !slices.Contains(h.Items, item) {
				h.Items = append(h.Items, item)
				if timed {
					h.At = append(h.At, int64(len(h.Items)))
				}
			}
		}
		log.Viewers = append(log.Viewers, h)
	}
	return log
}

func TestFakes(t *testing.T) {
	for _, timed := range []bool{false, true} {
		for name, by := range map[string]func(learn.Log, int32, float64, uint64) learn.Log{"random": attack.Random, "bandwagon": attack.Bandwagon} {
			log := world(timed)
			got := by(log, 55, .05, 1)
			if len(got.Viewers) != 105 || !reflect.DeepEqual(got.Viewers[:100], log.Viewers) || got.Check() != nil {
				t.Fatalf("%s: got %d viewers, %v, want the hundred and five more", name, len(got.Viewers), got.Check())
			}
			onTop := 0
			for _, h := range got.Viewers[100:] {
				sorted := slices.Clone(h.Items)
				slices.Sort(sorted)
				if len(h.Items) != 20 || len(slices.Compact(sorted)) != 20 || !slices.Contains(h.Items, 55) {
					t.Errorf("%s: got the profile %v, want 20 items, 55 among them", name, h.Items)
				}
				for _, item := range h.Items {
					if item < 5 {
						onTop++
					}
				}
			}
			// Of the top ten each bandwagon profile has all: half of a profile is ten.
			if want := name == "bandwagon"; (onTop >= 20) != want {
				t.Errorf("%s: %d times one of the first five items", name, onTop)
			}
			if !reflect.DeepEqual(got, by(log, 55, .05, 1)) || reflect.DeepEqual(got, by(log, 55, .05, 2)) {
				t.Errorf("%s: the seed does not decide", name)
			}
		}
	}
	if got := attack.Random(world(false), 3, 0, 1); len(got.Viewers) != 100 {
		t.Errorf("no share: got %d viewers", len(got.Viewers))
	}
}

func TestUnpopular(t *testing.T) {
	log := learn.Log{Items: 5, Viewers: []learn.History{{Items: []int32{4, 2, 2, 1}}, {Items: []int32{1, 4, 3}}}}
	if got := attack.Unpopular(log); got != 3 {
		t.Errorf("got item %d, want 3", got)
	}
}

func TestDropped(t *testing.T) {
	log := world(true)
	got := attack.Each(log, 1, func(h learn.History, r *rand.Rand) learn.History { return attack.Dropped(h, .25, r) })
	left := 0
	for v, h := range got.Viewers {
		left += len(h.Items)
		for i, item := range h.Items {
			if at := slices.Index(log.Viewers[v].Items, item); h.At[i] != log.Viewers[v].At[at] {
				t.Fatalf("viewer %d: item %d at %d, want its own time", v, item, h.At[i])
			}
		}
	}
	if left < 1400 || left > 1600 || got.Check() != nil {
		t.Errorf("got %d acts of 2,000, %v, want about 1,500", left, got.Check())
	}
}

// Whatever is delayed, nothing is lost, and nothing moves by more than it may.
func TestDelayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		h := learn.History{}
		for i := range n {
			h.Items, h.At = append(h.Items, int32(i)), append(h.At, int64(i))
		}
		longest := rapid.IntRange(1, 5).Draw(t, "longest")
		got := attack.Delayed(h, rapid.Float64Range(0, 1).Draw(t, "share"), longest, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		if !slices.Equal(got.At, h.At) {
			t.Fatalf("times: got %v, want %v", got.At, h.At)
		}
		for i, item := range got.Items {
			if i > int(item)+longest {
				t.Fatalf("item %d is at place %d of %v", item, i, got.Items)
			}
		}
		if sorted := slices.Sorted(slices.Values(got.Items)); !slices.Equal(sorted, h.Items) && n > 0 {
			t.Fatalf("got %v, want the same items", got.Items)
		}
	})
	h := learn.History{Items: []int32{0, 1, 2, 3}}
	if got := attack.Delayed(h, 0, 3, rand.New(rand.NewPCG(1, 1))); !slices.Equal(got.Items, h.Items) {
		t.Errorf("share 0: got %v", got.Items)
	}
}
