package rule

import (
	"math"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// Guarantee promises an item, a creator or a tag a part of what is served. It
// is kept by raising scores, by as much as is needed and no more than Most: an
// item that fits nobody is not forced upon everybody.
type Guarantee struct {
	Name      string        `json:"name"` // in traces and metrics
	Item      upnext.ItemID `json:"item"` // one of the three
	Creator   string        `json:"creator"`
	Tag       string        `json:"tag"`
	Share     float64       `json:"share"`    // of the places served, 0 to 1; one of the two
	PerHour   float64       `json:"per_hour"` // places served by this process
	Most      float64       `json:"most"`     // by how much the odds of a score are multiplied at most; 0: 16
	From      time.Time     `json:"from"`
	Until     time.Time     `json:"until"`
	Scenarios []string      `json:"scenarios"` // none: home
}

// MaxGuarantees bounds the guarantees of one set of rules.
const MaxGuarantees = 50

// usualMost raises a score of 0.1 to 0.64.
const usualMost = 16

func (g Guarantee) validate(of string) error {
	named := 0
	for _, name := range []string{string(g.Item), g.Creator, g.Tag} {
		if name != "" {
			named++
		}
	}
	switch {
	case g.Name == "":
		return bad(of+".name", "missing")
	case named != 1:
		return bad(of, "item, creator or tag: one of the three")
	case !share(g.Share):
		return bad(of+".share", "%g is not within 0 and 1", g.Share)
	case !(g.PerHour >= 0 && g.PerHour <= 1e9):
		return bad(of+".per_hour", "%g is not within 0 and 1e9", g.PerHour)
	case (g.Share > 0) == (g.PerHour > 0):
		return bad(of, "share or per_hour: one of the two")
	case g.Most != 0 && !(g.Most >= 1 && g.Most <= 1e6):
		return bad(of+".most", "%g is not within 1 and 1e6", g.Most)
	case !g.Until.IsZero() && g.Until.Before(g.From):
		return bad(of+".until", "before from")
	}
	return nil
}

// Active reports whether it holds in a scenario at a time.
func (g Guarantee) Active(scenario string, now time.Time) bool {
	return during(g.From, g.Until, now) && within(g.Scenarios, scenario)
}

// Of reports whether it is about an item.
func (g Guarantee) Of(it *shelf.Item) bool {
	switch {
	case g.Item != "":
		return it.Item.ID == g.Item
	case g.Creator != "":
		return it.Item.CreatorID == g.Creator
	}
	return it.About(g.Tag)
}

// target is the wanted rate: of places, or a second.
func (g Guarantee) target() float64 {
	if g.Share > 0 {
		return g.Share
	}
	return g.PerHour / 3600
}

// How a guarantee is controlled. What counts as time is places served for a
// share and seconds for a rate, so that a quiet service is judged by as many
// places as a busy one.
const (
	placesMemory = 1000 // after which what was served counts 1/e
	placesStep   = 100  // from one step of the controller to the next
	secondsMem   = 600.0
	secondsStep  = 5.0

	byError    = 0.5 // output for an error of the whole target
	bySum      = 1.0 // … that lasts for the memory
	byMovement = 0.1 // … by which the rate moves within the memory
)

// control is a PID controller of one guarantee: the error is the part of the
// target that is missing, the output from 0, no push, to 1, the most.
type control struct {
	hits, over float64 // served of it, and of all (places or seconds), fading
	at         time.Time
	due        float64 // what has passed since the last step
	sum        float64 // the integral's part of the output
	rate       float64 // at the last step
	stepped    bool
	push       float64
}

// count takes in that hits of places were served at a time.
func (c *control) count(g Guarantee, hits, places int, now time.Time) {
	memory, step, passed := float64(placesMemory), float64(placesStep), float64(places)
	if g.PerHour > 0 {
		memory, step, passed = secondsMem, secondsStep, 0
		if !c.at.IsZero() {
			passed = max(0, now.Sub(c.at).Seconds())
		}
		c.at = now
	}
	fade := math.Exp(-passed / memory)
	c.hits, c.over = c.hits*fade+float64(hits), c.over*fade+memory*(1-fade)
	if c.due += passed; c.due >= step && c.over > 0 {
		c.step(g.target(), c.due/memory)
		c.due = 0
	}
}

// step moves the output. The integral stands still while the output is at a
// bound and the error pushes further (anti-windup), or a guarantee that could
// not be kept for an hour would be overdone for the next; the derivative is of
// the rate alone, so that another target does not kick.
func (c *control) step(target, dt float64) {
	dt = min(dt, 1)
	rate := c.hits / c.over
	missing := max(-1, min(1, (target-rate)/target))
	moved := 0.0
	if c.stepped {
		moved = (rate - c.rate) / target / dt
	}
	c.rate, c.stepped = rate, true
	aside := byError*missing - byMovement*max(-1, min(1, moved))
	if out := aside + c.sum; !(out >= 1 && missing > 0) && !(out <= 0 && missing < 0) {
		c.sum = max(0, min(1, c.sum+bySum*missing*dt))
	}
	c.push = max(0, min(1, aside+c.sum))
}
