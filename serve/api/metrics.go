package api

import (
	"context"
	"fmt"
	"time"

	"upnext"
	"upnext/serve"
)

// metricsSpan is how far back metrics go where from is not told.
const metricsSpan = 24 * time.Hour

// intervals are the buckets of time by name.
var intervals = map[string]time.Duration{"all": 0, "hour": time.Hour, "day": 24 * time.Hour}

type rateBody struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low" doc:"Of the 95 % interval."`
	High  float64 `json:"high" doc:"Of the 95 % interval."`
}

// CountsBody is exported because its fields stand in the bodies that embed it,
// which the description follows only into what is exported.
type CountsBody struct {
	Impressions int64 `json:"impressions" doc:"Shown items that were seen: an impression was told, or the viewer did anything with them. An item in one answer counts once."`
	Clicks      int64 `json:"clicks" doc:"Of these, viewed or played."`
	Conversions int64 `json:"conversions" doc:"Of these, bought, subscribed to, given a gift, or converted."`
	Watches     int64 `json:"watches" doc:"Of these, those of which it was told how much was watched, or that they were skipped."`
	Timed       int64 `json:"timed_watches" doc:"Of the watches, those of items that have a length."`
	ValidViews  int64 `json:"valid_views" doc:"Watched for 10 s or 30 %, whichever is less."`
	Completes   int64 `json:"completes" doc:"Watched to 90 %; of timed watches."`
	QuickSkips  int64 `json:"quick_skips" doc:"Left within 3 s."`
	WatchMS     int64 `json:"watch_ms" doc:"Watched in all, in milliseconds."`

	CTR            rateBody `json:"ctr" doc:"Clicks of impressions; intervals of shares are Wilson's."`
	ConversionRate rateBody `json:"conversion_rate" doc:"Conversions of impressions."`
	ValidViewRate  rateBody `json:"valid_view_rate" doc:"Valid views of watches."`
	CompletionRate rateBody `json:"completion_rate" doc:"Completes of timed watches."`
	QuickSkipRate  rateBody `json:"quick_skip_rate" doc:"Quick skips of watches."`
	WatchSeconds   rateBody `json:"watch_seconds" doc:"Mean of watches, with a normal interval."`
}

type measuredBody struct {
	Value string    `json:"value" example:"home" doc:"Of what by names; unknown where that is not known. Positions are classes: 01, 02, 03, 04-05, 06-10, 11-20, 21-50, 51+."`
	At    time.Time `json:"at" doc:"Beginning of the interval; of from where it is all."`
	CountsBody
}

type metricsOutput struct {
	Body struct {
		From     time.Time      `json:"from" doc:"Brought to the whole hour."`
		To       time.Time      `json:"to"`
		By       string         `json:"by"`
		Interval string         `json:"interval"`
		Rows     []measuredBody `json:"rows" doc:"By value and time. An item that several sources found counts for each of them."`
	}
}

func (a *api) getMetrics(ctx context.Context, in *struct {
	From     time.Time `query:"from" doc:"When items were shown, at the earliest; the day before to where it is missing."`
	To       time.Time `query:"to" doc:"Not included; now where it is missing."`
	By       string    `query:"by" enum:"scenario,source,position,kind" default:"scenario"`
	Interval string    `query:"interval" enum:"all,hour,day" default:"all" doc:"A row for each hour, or day in UTC, or one for all."`
	Scenario string    `query:"scenario" doc:"Of this one alone."`
}) (*metricsOutput, error) {
	q := upnext.MeasureQuery{From: in.From.UTC(), To: in.To.UTC(), By: upnext.Part(in.By), Bucket: intervals[in.Interval], Scenario: in.Scenario}
	if in.To.IsZero() {
		q.To = a.Now().UTC()
	}
	if in.From.IsZero() {
		q.From = q.To.Add(-metricsSpan)
	}
	if y := min(q.From.Year(), q.To.Year()); y < 1970 || max(q.From.Year(), q.To.Year()) > 9999 {
		return nil, fmt.Errorf("from and to: years from 1970 to 9999 are taken: %w", upnext.ErrInvalid)
	}
	q.From = q.From.Truncate(time.Hour)
	rows, err := a.Recommender.Measured(ctx, callerOf(ctx).tenant, q)
	if err != nil {
		return nil, err
	}
	var out metricsOutput
	out.Body.From, out.Body.To, out.Body.By, out.Body.Interval = q.From, q.To, in.By, in.Interval
	out.Body.Rows = make([]measuredBody, len(rows))
	for i, r := range rows {
		out.Body.Rows[i] = measuredBody{r.Value, r.At, countsOf(r.Counts)}
	}
	return &out, nil
}

func countsOf(c upnext.Counts) CountsBody {
	return CountsBody{
		c.Impressions, c.Clicks, c.Conversions, c.Watches, c.Timed, c.ValidViews, c.Completes, c.QuickSkips, c.Watched,
		rateBody(serve.RateOf(c.Clicks, c.Impressions)), rateBody(serve.RateOf(c.Conversions, c.Impressions)),
		rateBody(serve.RateOf(c.ValidViews, c.Watches)), rateBody(serve.RateOf(c.Completes, c.Timed)),
		rateBody(serve.RateOf(c.QuickSkips, c.Watches)), rateBody(serve.MeanWatched(c)),
	}
}
