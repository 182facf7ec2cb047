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
	lastDay    *prometheus.GaugeVec   // by tenant, scenario and count
}

func newMeasureMeters(reg prometheus.Registerer) measureMeters {
	make := promauto.With(reg)
	return measureMeters{
		attributed: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_events_attributed_total", Help: "Events of items, by how their answer was found: token, slate, none; rejected are tokens that did not count.",
		}, []string{"by"}),
		behind: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_measured_behind_seconds", Help: "Age of the newest event that is attributed, where younger ones wait; else 0.",
		}, []string{"tenant"}),
		lastDay: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_measured_last_day", Help: "Counts of what was shown in the last 24 hours, by scenario, as GET /v1/metrics has them.",
		}, []string{"tenant", "scenario", "count"}),
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

// Scenarios are callers' words: mostShown bounds how many the gauges name, and
// showEvery how often they are read.
const (
	mostShown = 50
	showEvery = 15 * time.Second
)

// showMeasured sets the gauges from the store.
func (r *Recommender) showMeasured(ctx context.Context) {
	m := &r.meters.measure
	now := r.Now()
	m.lastDay.Reset() // a scenario that is used no more goes
	for _, t := range r.Known() {
		rows, err := r.Measured(ctx, t, upnext.MeasureQuery{From: now.Add(-24 * time.Hour), To: now.Add(time.Hour), By: upnext.PartScenario})
		if err != nil {
			if ctx.Err() == nil {
				r.Logger.Warn("measures not shown", "tenant", t, "error", err)
			}
			continue
		}
		slices.SortFunc(rows, func(a, b upnext.Measured) int { return cmp.Compare(b.Impressions, a.Impressions) })
		for _, row := range rows[:min(len(rows), mostShown)] {
			for name, v := range map[string]int64{
				"impressions": row.Impressions, "clicks": row.Clicks, "conversions": row.Conversions, "watches": row.Watches,
				"valid_views": row.ValidViews, "completes": row.Completes, "quick_skips": row.QuickSkips, "watch_ms": row.Counts.Watched,
			} {
				m.lastDay.WithLabelValues(string(t), row.Value, name).Set(float64(v))
			}
		}
	}
}
