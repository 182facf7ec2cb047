package serve

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"upnext"
	"upnext/serve/credit"
)

// measureMeters show what is measured, for alarms and dashboards. What was
// corrected is corrected in them, too: they are gauges, read from the store,
// and the same in every process.
type measureMeters struct {
	attributed *prometheus.CounterVec // by how; of this process
	behind     *prometheus.GaugeVec   // seconds by tenant
	lastDay    *prometheus.GaugeVec   // by shownLabels
}

func newMeasureMeters(reg prometheus.Registerer) measureMeters {
	make := promauto.With(reg)
	return measureMeters{
		attributed: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_events_attributed_total", Help: "Events of items, by how their answer was found: token, slate, none; rejected are tokens that did not count.",
		}, []string{"by"}),
		behind: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_measured_behind_seconds", Help: "Age of the newest event that is attributed where younger ones wait, or time since attribution last succeeded where it fails; else 0.",
		}, []string{"tenant"}),
		lastDay: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_measured_last_day", Help: "Counts of what was shown in the last 24 hours, by scenario, source, position and kind, as GET /v1/metrics has them.",
		}, []string{"tenant", "by", "value", "count"}),
	}
}

// page notes a page of events.
func (m *measureMeters) page(done credit.Result) {
	for _, a := range done.Attributions {
		m.attributed.WithLabelValues(string(a.By)).Inc()
	}
	m.attributed.WithLabelValues("none").Add(float64(done.None))
	m.attributed.WithLabelValues("rejected").Add(float64(done.Rejected))
}

// Scenarios and kinds are callers' words: mostShown bounds how many values of
// a part the gauges name, and showEvery how often they are read.
const (
	mostShown = 50
	showEvery = 15 * time.Second
)

// shownLabels are those of a gauge of the last day.
type shownLabels struct{ tenant, by, value, count string }

// showMeasured sets the gauges from the store, and takes away those that were
// set before and are no more, as of a scenario without an answer today. One
// that stays is never missing between the two: what scrapes sees no gap.
func (r *Recommender) showMeasured(ctx context.Context, before map[shownLabels]bool) map[shownLabels]bool {
	set := map[shownLabels]bool{}
	for _, t := range r.Known() {
		for _, part := range upnext.Parts {
			if err := r.showPart(ctx, t, part, set); err != nil {
				if ctx.Err() == nil {
					r.Logger.Warn("measures not shown", "tenant", t, "by", part, "error", err)
				}
				for l := range before { // what was true a moment ago stays
					if l.tenant == string(t) && l.by == string(part) {
						set[l] = true
					}
				}
			}
		}
	}
	for l := range before {
		if !set[l] {
			r.meters.measure.lastDay.DeleteLabelValues(l.tenant, l.by, l.value, l.count)
		}
	}
	return set
}

func (r *Recommender) showPart(ctx context.Context, t upnext.Tenant, by upnext.Part, set map[shownLabels]bool) error {
	now := r.Now()
	rows, err := r.Measured(ctx, t, upnext.MeasureQuery{From: now.Add(-24 * time.Hour), To: now.Add(time.Hour), By: by})
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b upnext.Measured) int { return cmp.Compare(b.Impressions, a.Impressions) })
	for _, row := range rows[:min(len(rows), mostShown)] {
		for name, v := range map[string]int64{
			"impressions": row.Impressions, "clicks": row.Clicks, "conversions": row.Conversions, "watches": row.Watches, "timed_watches": row.Timed,
			"valid_views": row.ValidViews, "completes": row.Completes, "quick_skips": row.QuickSkips, "watch_ms": row.Watched,
		} {
			l := shownLabels{string(t), string(by), row.Value, name}
			r.meters.measure.lastDay.WithLabelValues(l.tenant, l.by, l.value, l.count).Set(float64(v))
			set[l] = true
		}
	}
	return nil
}
