package split_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"upnext/learn"
	"upnext/learn/split"
)

func history(items ...int32) learn.History { return learn.History{Items: items} }

func TestLeaveLast(t *testing.T) {
	log := learn.Log{Items: 9, Viewers: []learn.History{
		history(3, 1, 2),
		{Items: []int32{5, 8, 4, 7}, At: []int64{10, 20, 20, 20}}, // one second: 4, 7, 8
		history(6),
		history(),
	}}
	before := learn.Log{Items: 9, Viewers: []learn.History{history(3, 1, 2), {Items: []int32{5, 8, 4, 7}, At: []int64{10, 20, 20, 20}}, history(6), history()}}
	tests := []struct {
		n     int
		rest  []learn.History
		cases []split.Case
	}{
		{1, []learn.History{history(3, 1), {Items: []int32{5, 4, 7}, At: []int64{10, 20, 20}}, history(6), history()}, []split.Case{
			{Viewer: 0, History: history(3, 1), Targets: []int32{2}},
			{Viewer: 1, History: learn.History{Items: []int32{5, 4, 7}, At: []int64{10, 20, 20}}, Targets: []int32{8}},
		}},
		{3, []learn.History{history(3, 1, 2), {Items: []int32{5}, At: []int64{10}}, history(6), history()}, []split.Case{
			{Viewer: 1, History: learn.History{Items: []int32{5}, At: []int64{10}}, Targets: []int32{4, 7, 8}},
		}},
		{0, before.Viewers, nil},
	}
	for _, test := range tests {
		rest, cases := split.LeaveLast(log, test.n)
		if !reflect.DeepEqual(rest.Viewers, test.rest) || !reflect.DeepEqual(cases, test.cases) {
			t.Errorf("n %d: got %v and %v, want %v and %v", test.n, rest.Viewers, cases, test.rest, test.cases)
		}
		if !reflect.DeepEqual(log, before) {
			t.Fatalf("n %d: the log has changed: %v", test.n, log)
		}
	}
}

func TestAtTime(t *testing.T) {
	log := learn.Log{Items: 9, Viewers: []learn.History{
		{Items: []int32{1, 2, 3, 1, 3}, At: []int64{1, 5, 10, 11, 12}}, // 1 again is no target, 3 is one once
		{Items: []int32{4}, At: []int64{20}},                           // a newcomer
		{Items: []int32{5}, At: []int64{9}},                            // gone
		history(6),
	}}
	rest, cases := split.AtTime(log, 10)
	wantRest := []learn.History{{Items: []int32{1, 2}, At: []int64{1, 5}}, {Items: []int32{}, At: []int64{}}, {Items: []int32{5}, At: []int64{9}}, history(6)}
	wantCases := []split.Case{
		{Viewer: 0, History: wantRest[0], Targets: []int32{3}},
		{Viewer: 1, History: wantRest[1], Targets: []int32{4}},
	}
	if !reflect.DeepEqual(rest.Viewers, wantRest) || !reflect.DeepEqual(cases, wantCases) {
		t.Errorf("got %v and %v, want %v and %v", rest.Viewers, cases, wantRest, wantCases)
	}
}

// What is held out and what stays are the whole, in the log's order.
func TestNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(rapid.Int32Range(0, 20))
		log := learn.Log{Items: 21}
		for range rapid.IntRange(0, 5).Draw(t, "viewers") {
			log.Viewers = append(log.Viewers, history(items.Draw(t, "items")...))
		}
		n := rapid.IntRange(0, 4).Draw(t, "n")
		rest, cases := split.LeaveLast(log, n)
		whole := slices.Clone(rest.Viewers)
		for _, c := range cases {
			if len(c.Targets) != n || len(c.History.Items) == 0 {
				t.Fatalf("case %v, want %d targets and a history", c, n)
			}
			whole[c.Viewer] = history(append(whole[c.Viewer].Items, c.Targets...)...)
		}
		for v, h := range whole {
			if !slices.Equal(h.Items, log.Viewers[v].Items) {
				t.Fatalf("viewer %d: got %v, want %v", v, h, log.Viewers[v])
			}
		}
	})
}

func TestCold(t *testing.T) {
	cold := split.Cold(100, .1, 7)
	if got := count(cold); got != 10 {
		t.Errorf("got %d cold items, want 10", got)
	}
	if !slices.Equal(cold, split.Cold(100, .1, 7)) {
		t.Error("one seed gives two choices")
	}
	if slices.Equal(cold, split.Cold(100, .1, 8)) {
		t.Error("two seeds give one choice")
	}
	for _, share := range []float64{0, 1} {
		if got, want := count(split.Cold(9, share, 1)), int(9*share); got != want {
			t.Errorf("share %v: got %d, want %d", share, got, want)
		}
	}
}

func count(cold []bool) (n int) {
	for _, c := range cold {
		if c {
			n++
		}
	}
	return n
}

func TestNewcomers(t *testing.T) {
	cold := []bool{false, true, false, true}
	log := learn.Log{Items: 4, Viewers: []learn.History{{Items: []int32{0, 1, 2}, At: []int64{1, 2, 3}}}}
	if got, want := split.Without(log, cold).Viewers[0], (learn.History{Items: []int32{0, 2}, At: []int64{1, 3}}); !reflect.DeepEqual(got, want) {
		t.Errorf("Without: got %v, want %v", got, want)
	}
	got := split.Newcomers([]split.Case{
		{Viewer: 0, History: history(0, 1, 2), Targets: []int32{3, 2}, Seen: []int32{2}},
		{Viewer: 1, History: history(1), Targets: []int32{0}},
	}, cold)
	want := []split.Case{{Viewer: 0, History: history(0, 2), Seen: []int32{2, 1}, Targets: []int32{3}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Newcomers: got %v, want %v", got, want)
	}
}

func TestShare(t *testing.T) {
	log := learn.Log{Items: 40, Viewers: []learn.History{history(1), history(2, 3), {}}}
	for i := range int32(30) {
		log.Viewers[2].Items, log.Viewers[2].At = append(log.Viewers[2].Items, i), append(log.Viewers[2].At, int64(i))
	}
	rest, cases := split.Share(log, .1, 5)
	if len(cases) != 1 || cases[0].Viewer != 2 || len(cases[0].Targets) != 3 || !reflect.DeepEqual(rest.Viewers[2], cases[0].History) {
		t.Fatalf("got %+v and %+v, want three of the last viewer's", rest, cases)
	}
	for i, item := range rest.Viewers[2].Items {
		if slices.Contains(cases[0].Targets, item) || rest.Viewers[2].At[i] != int64(item) {
			t.Errorf("act %d: got item %d at %d among what stays", i, item, rest.Viewers[2].At[i])
		}
	}
	if again, _ := split.Share(log, .1, 5); !reflect.DeepEqual(again, rest) {
		t.Error("one seed gives two splits")
	}
	if other, _ := split.Share(log, .1, 6); reflect.DeepEqual(other, rest) {
		t.Error("two seeds give one split")
	}
	if all, _ := split.Share(log, 1, 5); len(all.Viewers[1].Items) != 1 {
		t.Errorf("share 1: got %v, want one act left", all.Viewers[1])
	}
}
