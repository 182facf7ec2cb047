package endpoint

import (
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/embed"
)

// Config says which servers a Client calls and how. Zero values mean what
// stands behind the field.
type Config struct {
	Engine    Engine         // needed
	Endpoints []string       // addresses of equal servers; at least one
	Reads     embed.Modality // what is given to it: Text

	ID  string // of the model: made of the name that the server tells, or of Name
	Dim int    // components of a vector: those of the first answer

	Name string // the model's name where the server tells none

	MaxBatch    int           // inputs in a request: 32, or fewer where the server says so
	MaxBytes    int           // of inputs in a request: 1 MiB of text, 16 MiB of pictures; a larger input goes alone
	MaxWait     time.Duration // that an input waits for company: 5 ms
	MaxText     int           // bytes that are read of a text: 2 KiB, some 500 tokens, thrice a passage; the rest is left out
	Concurrency int           // requests in flight to each endpoint: 4
	Timeout     time.Duration // of one request: 30 s
	Attempts    int           // at one batch: 4

	Label   string                // the metrics' label "encoder": Reads
	Metrics prometheus.Registerer // nil: not counted
	Logger  *slog.Logger          // nil: silent
}

// How a server that fails is spared.
const (
	firstPause  = 100 * time.Millisecond // before the first retry; twice as long before each further
	longestWait = 30 * time.Second       // that a Retry-After is waited for; a longer one fails the call

	budgetSize  = 10  // retries in a row before the budget is spent
	budgetShare = 0.1 // of a retry, that each new batch adds

	breakAfter = 5                // failures of an endpoint in a row that open its breaker
	breakFor   = 10 * time.Second // until one request is let through to try it again
)

func (c Config) complete() (Config, error) {
	if c.Engine == nil || len(c.Endpoints) == 0 {
		return c, fmt.Errorf("embedding endpoint: no address: %w", upnext.ErrInvalid)
	}
	for _, e := range c.Endpoints {
		if u, err := url.Parse(e); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, fmt.Errorf("embedding endpoint %q: want http://host or https://host: %w", Shown(e), upnext.ErrInvalid)
		}
	}
	bytes := 1 << 20
	if c.Reads == embed.Image {
		bytes = 16 << 20
	}
	for _, f := range []struct {
		name  string
		value *int
		usual int
	}{
		{"batch", &c.MaxBatch, 32}, {"bytes", &c.MaxBytes, bytes}, {"text", &c.MaxText, 2 << 10},
		{"concurrency", &c.Concurrency, 4}, {"attempts", &c.Attempts, 4},
	} {
		if *f.value < 0 {
			return c, fmt.Errorf("embedding endpoint: %s %d is below 0: %w", f.name, *f.value, upnext.ErrInvalid)
		}
		if *f.value == 0 {
			*f.value = f.usual
		}
	}
	if c.MaxWait < 0 || c.Timeout < 0 || c.Dim < 0 {
		return c, fmt.Errorf("embedding endpoint: a wait, timeout or dimension below 0: %w", upnext.ErrInvalid)
	}
	if c.MaxWait == 0 {
		c.MaxWait = 5 * time.Millisecond
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Reads == "" {
		c.Reads = embed.Text
	}
	if c.Label == "" {
		c.Label = string(c.Reads)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
