package train

import (
	"math"
	"time"

	"upnext/learn"
	"upnext/learn/bundle"
)

// State is where a run stands.
type State string

// The states of a run.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Run is one training, from the wish to the bundle. It is kept in the object
// store, so that one whose process died is taken up again.
type Run struct {
	ID        string           `json:"id"`
	State     State            `json:"state"`
	Models    []string         `json:"models,omitempty"` // asked for; empty: the standard ones
	QueuedAt  time.Time        `json:"queued_at"`
	StartedAt time.Time        `json:"started_at,omitzero"`
	EndedAt   time.Time        `json:"ended_at,omitzero"`
	Error     string           `json:"error,omitempty"`
	Attempts  int              `json:"attempts,omitempty"`
	Steps     []Step           `json:"steps,omitempty"` // where each phase of each model is
	Curves    []Curve          `json:"curves,omitempty"`
	Bundle    *bundle.Manifest `json:"bundle,omitempty"`
}

// Step is how far a phase is.
type Step struct {
	Model string `json:"model"`
	Phase string `json:"phase"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// Curve is loss or metric of one model over the steps of a phase.
type Curve struct {
	Model  string  `json:"model"`
	Of     string  `json:"of"` // "loss", or "metric" on validation
	Points []Point `json:"points"`
}

// Point is one value.
type Point struct {
	Step  int     `json:"step"`
	Value float64 `json:"value"`
}

// Ended reports whether nothing more will come.
func (r Run) Ended() bool { return r.State != Queued && r.State != Running }

// longest is how many points a curve keeps: of a longer one every other goes.
const longest = 1000

// note takes in a step, and returns the points that it added.
func (r *Run) note(model string, s learn.Step) (added []Curve) {
	at := -1
	for i, have := range r.Steps {
		if have.Model == model && have.Phase == s.Phase {
			at = i
		}
	}
	if at < 0 {
		r.Steps = append(r.Steps, Step{Model: model, Phase: s.Phase})
		at = len(r.Steps) - 1
	}
	r.Steps[at].Done, r.Steps[at].Total = s.Done, s.Total
	for _, v := range []struct {
		of    string
		value float64
	}{{"loss", s.Loss}, {"metric", s.Metric}} {
		if v.value != 0 && !math.IsNaN(v.value) && !math.IsInf(v.value, 0) { // JSON has none of these
			added = append(added, r.point(model, v.of, Point{s.Done, v.value}))
		}
	}
	return added
}

func (r *Run) point(model, of string, p Point) Curve {
	at := -1
	for i, have := range r.Curves {
		if have.Model == model && have.Of == of {
			at = i
		}
	}
	if at < 0 {
		r.Curves = append(r.Curves, Curve{Model: model, Of: of})
		at = len(r.Curves) - 1
	}
	c := &r.Curves[at]
	c.Points = append(c.Points, p)
	if len(c.Points) > longest {
		for i := range len(c.Points) / 2 {
			c.Points[i] = c.Points[2*i]
		}
		c.Points = c.Points[:len(c.Points)/2]
	}
	return Curve{model, of, []Point{p}}
}
