package serve

import (
	"context"
	"fmt"
	"math"
	"time"

	"upnext"
)

// Rate is a share with its 95 % interval.
type Rate struct{ Value, Low, High float64 }

// z95 is the normal quantile of a two-sided 95 % interval.
const z95 = 1.959964

// RateOf returns k of n with the score interval of Wilson (1927), which holds
// for small n and shares near 0 and 1, too. Without trials nothing is known: 0
// within 0 and 1.
func RateOf(k, n int64) Rate {
	if n <= 0 {
		return Rate{0, 0, 1}
	}
	trials := float64(n)
	p := min(1, max(0, float64(k)/trials))
	middle := p + z95*z95/(2*trials)
	half := z95 * math.Sqrt(p*(1-p)/trials+z95*z95/(4*trials*trials))
	whole := 1 + z95*z95/trials
	// Rounding must not put p outside.
	return Rate{p, min(p, max(0, (middle-half)/whole)), max(p, min(1, (middle+half)/whole))}
}

// MeanWatched returns the mean watch time of what was reported, in seconds,
// with its 95 % interval by the normal approximation.
func MeanWatched(c upnext.Counts) Rate {
	if c.Watches <= 0 {
		return Rate{}
	}
	n := float64(c.Watches)
	mean := float64(c.Watched) / 1000 / n
	if c.Watches == 1 {
		return Rate{mean, 0, math.Max(mean, upnext.MaxWatched.Seconds())}
	}
	tenths := mean * 10
	variance := max(0, (float64(c.Squares)-n*tenths*tenths)/(n-1)) / 100
	half := z95 * math.Sqrt(variance/n)
	return Rate{mean, max(0, mean-half), mean + half}
}

// mostMeasured bounds the rows of an answer: 20 values by the hour for three weeks.
const mostMeasured = 10_000

// Measured returns counts of what was shown and what came of it. Events are in
// it some seconds after they were taken in; what was taken back or erased is
// not. ErrInvalid where the times or the part make no sense, or where there
// would be too many rows.
func (r *Recommender) Measured(ctx context.Context, t upnext.Tenant, q upnext.MeasureQuery) ([]upnext.Measured, error) {
	if r.Measures == nil {
		return nil, fmt.Errorf("measured: nothing is measured here: %w", upnext.ErrNotFound)
	}
	switch {
	case !q.From.Before(q.To):
		return nil, fmt.Errorf("measured: from: %s is not before to, %s: %w", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339), upnext.ErrInvalid)
	case len(q.Scenario) > upnext.MaxID:
		return nil, fmt.Errorf("measured: scenario: %d bytes, %d allowed: %w", len(q.Scenario), upnext.MaxID, upnext.ErrInvalid)
	}
	q.Limit = mostMeasured + 1
	rows, err := r.Measures.Measured(ctx, t, q)
	if err != nil {
		return nil, fmt.Errorf("measured: %w", err)
	}
	if len(rows) > mostMeasured {
		return nil, fmt.Errorf("measured: interval: more than %d rows: ask for longer intervals or less time: %w", mostMeasured, upnext.ErrInvalid)
	}
	return rows, nil
}
