package endpoint

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// meters are what a Client counts of itself. The label encoder tells the
// Clients of a process apart.
type meters struct {
	batch    prometheus.Histogram
	queued   prometheus.Histogram
	calls    *prometheus.HistogramVec // seconds by endpoint and outcome
	tokens   *prometheus.CounterVec   // by endpoint
	retries  *prometheus.CounterVec   // by endpoint and cause
	refused  prometheus.Counter
	breaker  *prometheus.GaugeVec // by endpoint: 0 closed, 1 half open, 2 open
	inFlight *prometheus.GaugeVec // by endpoint
}

func newMeters(reg prometheus.Registerer, encoder string) meters {
	make, same := promauto.With(reg), prometheus.Labels{"encoder": encoder}
	return meters{
		batch: make.NewHistogram(prometheus.HistogramOpts{
			Name: "upnext_embed_batch_inputs", Help: "Inputs in a request to an embedding endpoint.", ConstLabels: same,
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		queued: make.NewHistogram(prometheus.HistogramOpts{
			Name: "upnext_embed_queue_seconds", Help: "Time that an input waits for its request to be sent.", ConstLabels: same,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		calls: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "upnext_embed_call_seconds", Help: "Time of a request to an embedding endpoint.", ConstLabels: same,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"endpoint", "outcome"}),
		tokens: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_embed_tokens_total", Help: "Tokens that embedding endpoints say they have read.", ConstLabels: same,
		}, []string{"endpoint"}),
		retries: make.NewCounterVec(prometheus.CounterOpts{
			Name: "upnext_embed_retries_total", Help: "Requests sent again after a failure of the endpoint.", ConstLabels: same,
		}, []string{"endpoint", "cause"}),
		refused: make.NewCounter(prometheus.CounterOpts{
			Name: "upnext_embed_refused_total", Help: "Inputs that an endpoint would not embed.", ConstLabels: same,
		}),
		breaker: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_embed_breaker", Help: "Circuit breaker of an endpoint: 0 closed, 1 half open, 2 open.", ConstLabels: same,
		}, []string{"endpoint"}),
		inFlight: make.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upnext_embed_in_flight", Help: "Requests in flight to an endpoint.", ConstLabels: same,
		}, []string{"endpoint"}),
	}
}
