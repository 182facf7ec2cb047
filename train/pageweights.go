package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"upnext"
	"upnext/learn/bundle"
	"upnext/learn/logit"
)

// Shown is what was shown and what became of it.
type Shown struct {
	Slates interface {
		SlatesSince(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Slate, error)
	}
	Measures interface {
		Attributions(ctx context.Context, t upnext.Tenant, id upnext.SlateID) ([]upnext.Attribution, error)
	}
	Weights map[string]float64 // of the features, as answers with models are scored without what is learned here
}

// Bounds of what the weights of a page are learned from.
const (
	shownSlates = 20_000 // the latest
	shownPage   = 500
	leastTaken  = 300 // items that were taken to, or nothing is learned
	leastTried  = 100 // slates that the weights are tried on
	shownPrior  = 50  // rows that the weights of the settings weigh as much as
)

// pageWeights learns what makes viewers take to what they are shown: a logistic
// regression over the features of the items that they have seen in the latest
// answers, drawn towards the weights of the settings, with the position besides. An
// item was seen if anything was told of it, or of one below it in the same answer
// (Joachims 2002: skip above). The newest fifth tries the weights: nil where they
// put what was taken to before what was not no better than those of the settings, by
// more than a standard error, or where too little is known.
func (tr *Trainer) pageWeights(ctx context.Context, t upnext.Tenant) (*bundle.PageWeights, error) {
	if tr.Shown.Slates == nil || len(tr.Features) == 0 {
		return nil, nil
	}
	seen, err := tr.seen(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("read what was shown: %w", err)
	}
	taken := 0
	for _, s := range seen {
		taken += s.taken
	}
	cut := len(seen) * 4 / 5
	if taken < leastTaken || len(seen)-cut < leastTried {
		return nil, nil
	}
	fitted, err := tr.fitPage(ctx, seen[:cut])
	if err != nil {
		return nil, err
	}
	before, after, least := 0.0, 0.0, 0.0
	var gains []float64
	for _, s := range seen[cut:] {
		was, is := s.concordance(tr.named(tr.Shown.Weights)), s.concordance(fitted)
		before, after, gains = before+was, after+is, append(gains, is-was)
	}
	n := float64(len(gains))
	mean := (after - before) / n
	for _, g := range gains {
		least += (g - mean) * (g - mean)
	}
	least = math.Sqrt(least/(n-1)) / math.Sqrt(n)
	helps := mean > least
	tr.Logger.Info("weights of a page tried", "tenant", t, "slates", len(gains), "concordance", after/n, "before", before/n, "standard_error", least, "kept", helps)
	if !helps {
		return nil, nil
	}
	if fitted, err = tr.fitPage(ctx, seen); err != nil {
		return nil, err
	}
	p := &bundle.PageWeights{Weights: map[string]float64{}, Slates: len(seen), Taken: taken, Concordance: after / n, Before: before / n}
	for i, name := range tr.Features {
		p.Weights[name] = fitted[i]
	}
	return p, nil
}

// named are weights in the order of the features.
func (tr *Trainer) named(weights map[string]float64) []float64 {
	row := make([]float64, len(tr.Features))
	for i, name := range tr.Features {
		row[i] = weights[name]
	}
	return row
}

// slope turns a page's sum of weights into the logarithm of odds: see serve.blend.
const slope = 2

// fitPage returns weights, one a feature.
func (tr *Trainer) fitPage(ctx context.Context, seen []seenSlate) ([]float64, error) {
	var rows []logit.Row
	for _, s := range seen {
		for i, x := range s.features {
			// Two more: how low it stood, and how often anything is taken to at all.
			rows = append(rows, logit.Row{X: append(slices.Clone(x), math.Log2(float64(s.ranks[i]+1)), 1), Y: s.took[i]})
		}
	}
	prior, strength := tr.named(tr.Shown.Weights), make([]float64, len(tr.Features)+2)
	for i := range prior {
		prior[i] *= slope
		strength[i] = shownPrior / 4 // a row tells a quarter at most: p(1-p)
	}
	strength[len(prior)], strength[len(prior)+1] = 1, 1e-3
	theta, err := logit.Fit(ctx, rows, append(prior, 0, -slope), strength)
	if err != nil {
		return nil, err
	}
	weights := theta[:len(tr.Features)]
	for i := range weights {
		weights[i] /= slope
	}
	return weights, nil
}

// seenSlate is an answer as far as its viewer has seen it.
type seenSlate struct {
	features [][]float64 // by item, in the order of Trainer.Features
	ranks    []int
	took     []bool
	taken    int // of them
}

// concordance is the share of pairs, one taken to and one not, of which the weights
// put the former first; ties count half.
func (s seenSlate) concordance(weights []float64) float64 {
	scores := make([]float64, len(s.features))
	for i, x := range s.features {
		for k, v := range x {
			scores[i] += weights[k] * v
		}
	}
	right, pairs := 0.0, 0.0
	for i := range scores {
		for j := range scores {
			if s.took[i] && !s.took[j] {
				pairs++
				switch {
				case scores[i] > scores[j]:
					right++
				case scores[i] == scores[j]:
					right += 0.5
				}
			}
		}
	}
	return right / pairs
}

// seen reads the latest slates, oldest first: those of which something was taken to
// and something was not, that models have answered and that are no search.
func (tr *Trainer) seen(ctx context.Context, t upnext.Tenant) (seen []seenSlate, err error) {
	last, err := tr.lastSlate(ctx, t)
	for after := max(0, last-shownSlates); err == nil; {
		var slates []upnext.Slate
		if slates, err = tr.Shown.Slates.SlatesSince(ctx, t, after, shownPage); err != nil || len(slates) == 0 {
			break
		}
		after = slates[len(slates)-1].Seq
		for _, s := range slates {
			if s.Versions["models"] == "" || isSearch(s) {
				continue
			}
			acts, err := tr.Shown.Measures.Attributions(ctx, t, s.ID)
			if err != nil {
				return nil, err
			}
			if one := tr.seenOf(s, acts); one.taken > 0 && one.taken < len(one.took) {
				seen = append(seen, one)
			}
		}
	}
	return seen, err
}

// isSearch reports whether an answer was made of features that pages do not have.
func isSearch(s upnext.Slate) bool {
	for _, p := range s.Items {
		for _, name := range []string{"words", "meaning", "similar"} {
			if p.Features[name] != 0 {
				return true
			}
		}
	}
	return false
}

func (tr *Trainer) seenOf(s upnext.Slate, acts []upnext.Attribution) (one seenSlate) {
	of, lowest := map[upnext.ItemID][]upnext.Attribution{}, 0
	for _, a := range acts {
		of[a.Item] = append(of[a.Item], a)
		lowest = max(lowest, a.Rank)
	}
	for _, p := range s.Items {
		own := of[p.Item]
		if len(own) == 0 && p.Rank > lowest || len(p.Features) == 0 {
			continue
		}
		took := tookTo(own)
		if took {
			one.taken++
		}
		one.features, one.ranks, one.took = append(one.features, tr.named(p.Features)), append(one.ranks, p.Rank), append(one.took, took)
	}
	return one
}

// tookTo reports whether acts say that the viewer took to the item.
func tookTo(acts []upnext.Attribution) bool {
	counts := upnext.CountsOf(acts)
	for _, a := range acts {
		switch a.Act {
		case upnext.Dislike, upnext.NotInterested, upnext.Block, upnext.Mute, upnext.Report:
			return false
		}
	}
	for _, a := range acts {
		switch a.Act {
		case upnext.Like, upnext.Save, upnext.Share, upnext.Follow:
			return true
		}
	}
	return counts.Conversions > 0 || counts.ValidViews > 0 || counts.Clicks > 0 && counts.QuickSkips == 0
}

// lastSlate is the greatest Seq of a slate; 0 where there is none.
func (tr *Trainer) lastSlate(ctx context.Context, t upnext.Tenant) (int64, error) {
	var failed error
	behind := func(after int64) bool { // whether there is none behind it
		if failed != nil {
			return true
		}
		slates, err := tr.Shown.Slates.SlatesSince(ctx, t, after, 1)
		failed = errors.Join(failed, err)
		return len(slates) == 0
	}
	most := 1
	for !behind(int64(most)) {
		most *= 2
	}
	last := sort.Search(most, func(after int) bool { return behind(int64(after)) })
	return int64(last), failed
}
