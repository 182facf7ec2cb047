package learntest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"upnext/learn"
)

// badLogs: what nothing can be learned from is refused as ErrInvalid.
func (s Suite) badLogs(t *testing.T) {
	one := func(items ...int32) []learn.History { return []learn.History{{Items: items}} }
	for name, log := range map[string]learn.Log{
		"nothing":            {},
		"no viewers":         {Items: 5},
		"viewers of no acts": {Items: 5, Viewers: make([]learn.History, 3)},
		"no items":           {Viewers: one(0)},
		"one item":           {Items: 1, Viewers: one(0, 0)},
		"an item too high":   {Items: 3, Viewers: one(0, 3)},
		"an item below 0":    {Items: 3, Viewers: one(-1, 1)},
		"too few times":      {Items: 3, Viewers: []learn.History{{Items: []int32{0, 1}, At: []int64{5}}}},
		"times that fall":    {Items: 3, Viewers: []learn.History{{Items: []int32{0, 1}, At: []int64{5, 4}}}},
	} {
		if m, err := s.Fitter.Fit(t.Context(), log, nil); !invalid(err) {
			t.Errorf("%s: got %v, %v, want ErrInvalid", name, m, err)
		}
	}
}

// oddLogs: what little can be learned from is refused as ErrInvalid, or gives a
// model whose scores are finite, for long histories and repeated items too.
func (s Suite) oddLogs(t *testing.T) {
	usual := board{items: 16, viewers: 30, acts: 8}.log(10)
	many := make([]int32, 100_000)
	rng := rand.New(rand.NewPCG(12, 1))
	for i := range many {
		many[i] = int32(rng.IntN(usual.Items))
	}
	one := func(items ...int32) learn.Log { return learn.Log{Items: 5, Viewers: []learn.History{{Items: items}}} }
	for name, log := range map[string]learn.Log{
		"one viewer":                {Items: 5, Viewers: one(0, 1, 2, 3).Viewers},
		"one act":                   one(2),
		"one item again and again":  one(3, 3, 3, 3, 3, 3),
		"viewers of one act":        {Items: 5, Viewers: slices.Repeat(one(1).Viewers, 9)},
		"two items":                 {Items: 2, Viewers: slices.Repeat([]learn.History{{Items: []int32{0, 1}}, {Items: []int32{1}}}, 5)},
		"all at one time":           {Items: 5, Viewers: []learn.History{{Items: []int32{0, 1, 2}, At: []int64{7, 7, 7}}, {Items: []int32{1, 2}, At: []int64{7, 7}}}},
		"some with times":           {Items: 5, Viewers: []learn.History{{Items: []int32{0, 1, 2}, At: []int64{7, 8, 9}}, {Items: []int32{1, 2}}}},
		"a viewer of 100,000 acts":  {Items: usual.Items, Viewers: slices.Concat(usual.Viewers, []learn.History{{Items: many}})},
		"only a viewer of 100,000":  {Items: usual.Items, Viewers: []learn.History{{Items: many}}},
		"a catalogue mostly unseen": {Items: 500, Viewers: usual.Viewers},
	} {
		m, err := s.Fitter.Fit(t.Context(), log, nil)
		if err != nil {
			if !invalid(err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for _, items := range [][]int32{{0}, {1, 1, 1, 1}, {0, 1}, slices.Repeat([]int32{1, 0}, 50_000)} {
			scores(t, m, learn.History{Items: items})
		}
		scores(t, m, learn.History{Items: []int32{0, 1}, At: []int64{-1 << 62, 1 << 62}})
	}
}

// cancelled: Fit ends with the context's error, soon.
func (s Suite) cancelled(t *testing.T) {
	log := board{items: 40, viewers: 300, acts: 20, timed: true}.log(13)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := s.Fitter.Fit(ended, log, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: got %v, %v", m, err)
	}
	midway, cancel := context.WithCancel(t.Context())
	defer cancel()
	var at time.Time
	var last learn.Step
	m, err := s.Fitter.Fit(midway, log, func(step learn.Step) {
		if last = step; at.IsZero() {
			at = time.Now()
			cancel()
		}
	})
	switch {
	case at.IsZero():
		t.Error("the watch was told nothing")
	case err == nil && last.Done < last.Total: // a fit that was told of its end may have a model
		t.Errorf("cancelled midway: got %v after %+v", m, last)
	case err != nil && !errors.Is(err, context.Canceled):
		t.Errorf("cancelled midway: %v", err)
	}
	if late := time.Since(at); !at.IsZero() && late > 5*time.Second {
		t.Errorf("ended %v after it was cancelled", late)
	}
}
