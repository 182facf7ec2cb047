package door

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// measure shows the lanes on /metrics.
func (d *Door) measure(reg prometheus.Registerer) {
	make := promauto.With(reg)
	d.outcomes = make.NewCounterVec(prometheus.CounterOpts{
		Name: "upnext_door_requests_total", Help: "Requests by class: admitted, refused because the server is overloaded, or gone while they waited.",
	}, []string{"class", "outcome"})
	for _, c := range Classes {
		for _, outcome := range []string{"admitted", "refused", "gone"} {
			d.outcomes.WithLabelValues(string(c), outcome)
		}
	}
	for name, l := range map[string]lane{"answers": d.answers, "events": d.events, "others": d.others} {
		labels := prometheus.Labels{"lane": name}
		for _, g := range []struct {
			name, help string
			value      func() int
		}{
			{"upnext_door_limit", "How many requests are let in at once.", l.Limit},
			{"upnext_door_inside", "How many are inside.", l.Inflight},
			{"upnext_door_waiting", "How many wait.", l.Queued},
		} {
			make.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help, ConstLabels: labels}, func() float64 { return float64(g.value()) })
		}
	}
}
