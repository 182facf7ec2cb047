package serve

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"upnext"
)

// meters are what a Recommender counts of itself.
type meters struct {
	stages        *prometheus.HistogramVec // seconds by class and stage
	short         prometheus.Counter
	degraded      *prometheus.CounterVec // by source
	events        *prometheus.CounterVec // by kind
	duplicates    prometheus.Counter
	tokens        prometheus.Counter
	slatesDropped prometheus.Counter
	measure       measureMeters
	tracesDropped prometheus.Counter
}

func newMeters(reg prometheus.Registerer, r *Recommender) meters {
	make := promauto.With(reg)
	if reg != nil {
		reg.MustRegister(newGuaranteeMeters(r))
	}
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "upnext_viewers_held", Help: "Viewers held in memory.",
	}, func() float64 {
		r.viewers.mu.Lock()
		defer r.viewers.mu.Unlock()
		return float64(r.viewers.idle.Len())
	})
	return meters{
		stages: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "upnext_recommend_seconds", Help: "Time of an answer's stages.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15),
		}, []string{"class", "stage"}),
		short: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_recommend_short_total", Help: "Answers with fewer items than asked for.",
		}),
		degraded: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_source_degraded_total", Help: "Times that a source failed or was late.",
		}, []string{"source"}),
		events: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_events_total", Help: "Events taken in.",
		}, []string{"kind"}),
		duplicates: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_events_duplicate_total", Help: "Events that had been taken in before.",
		}),
		tokens: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_tokens_rejected_total", Help: "Events whose token was dropped.",
		}),
		slatesDropped: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_slates_dropped_total", Help: "Slates that were not recorded.",
		}),
		measure: newMeasureMeters(reg),
		tracesDropped: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_traces_dropped_total", Help: "Traces that were not recorded with their slate.",
		}),
	}
}

// observe notes an answer's timings and whether it is short.
func (m *meters) observe(q *asked, short bool) {
	for stage, d := range q.timings {
		m.stages.WithLabelValues(q.class, stage).Observe(d.Seconds())
	}
	if short {
		m.short.Inc()
	}
}

// count notes an event.
func (m *meters) count(e upnext.Event, duplicate bool) {
	if duplicate {
		m.duplicates.Inc()
		return
	}
	m.events.WithLabelValues(string(e.Kind)).Inc()
}
