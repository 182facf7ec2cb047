package serve

import "github.com/prometheus/client_golang/prometheus"

// guaranteeMeters tell operators how the traffic guarantees are doing, as far as this
// process has served.
type guaranteeMeters struct {
	r          *Recommender
	rate, odds *prometheus.Desc
}

func newGuaranteeMeters(r *Recommender) guaranteeMeters {
	labels := []string{"tenant", "guarantee"}
	return guaranteeMeters{
		r:    r,
		rate: prometheus.NewDesc("upnext_guarantee_rate", "What a traffic guarantee has had of late: its share of the places served, or places an hour.", labels, nil),
		odds: prometheus.NewDesc("upnext_guarantee_odds", "By how much a traffic guarantee multiplies the odds of its items' scores.", labels, nil),
	}
}

// Describe implements prometheus.Collector.
func (p guaranteeMeters) Describe(to chan<- *prometheus.Desc) { to <- p.rate; to <- p.odds }

// Collect implements prometheus.Collector.
func (p guaranteeMeters) Collect(to chan<- prometheus.Metric) {
	for _, t := range p.r.Known() {
		for _, k := range p.r.tenant(t).traffic.Kept() {
			to <- prometheus.MustNewConstMetric(p.rate, prometheus.GaugeValue, k.Rate, string(t), k.Name)
			to <- prometheus.MustNewConstMetric(p.odds, prometheus.GaugeValue, k.Odds, string(t), k.Name)
		}
	}
}
