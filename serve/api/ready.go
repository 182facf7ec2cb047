package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"upnext"
)

// Dependency is an engine that answers are made with.
type Dependency struct {
	Name  string
	Check func(ctx context.Context) error // nil is well
}

// How long readyz waits for the engines, and for how long what it found holds:
// anybody may ask, and asking must cost nothing.
const (
	checkPatience = 2 * time.Second
	checkHolds    = time.Second
)

// readiness is what was found last, and when.
type readiness struct {
	looking atomic.Bool
	last    atomic.Pointer[found] // nil: nobody has looked yet
}

type found struct {
	at   time.Time
	body readyBody
}

// readyBody is the answer of /readyz.
type readyBody struct {
	Ready    bool              `json:"ready"`
	Reason   string            `json:"reason,omitempty"` // why not
	Version  string            `json:"version"`
	Engines  map[string]string `json:"engines,omitempty"`  // ok or unavailable, by name
	Breakers map[string]string `json:"breakers,omitempty"` // away: requests go without it; those that are closed are left out
	Degraded []degradedBody    `json:"degraded,omitempty"` // what a page goes without at present
}

// readyz says whether requests should be sent here: not before everything is
// loaded, not once the server is to end, and not while a page for nobody in
// particular, which needs least, cannot be made. An engine that is away costs
// its share of an answer, not the answer: the server is ready then, and names it.
func (a *api) readyz(c *gin.Context) {
	if a.Draining != nil && a.Draining.Load() {
		c.JSON(http.StatusServiceUnavailable, readyBody{Reason: "draining: requests under way are finished, no more should come", Version: a.Version})
		return
	}
	body := a.ready(c.Request.Context())
	if !body.Ready {
		c.Header("Retry-After", "1")
		c.JSON(http.StatusServiceUnavailable, body)
		return
	}
	c.JSON(http.StatusOK, body)
}

// ready looks, or remembers. While one looks, others are told what was found
// before: they must not queue behind an engine that hangs.
func (a *api) ready(ctx context.Context) readyBody {
	last := a.readiness.last.Load()
	if last != nil && (last.body.Ready && time.Since(last.at) < checkHolds || !a.readiness.looking.CompareAndSwap(false, true)) {
		return last.body
	}
	defer a.readiness.looking.Store(false)
	body := a.look(context.WithoutCancel(ctx)) // who asks may leave: others want to know, too
	a.readiness.last.Store(&found{time.Now(), body})
	return body
}

// look finds out.
func (a *api) look(ctx context.Context) readyBody {
	body := readyBody{Version: a.Version, Engines: a.check(ctx), Breakers: map[string]string{}}
	for _, e := range a.Recommender.Engines() {
		if e.Away {
			name := e.Name
			if e.Tenant != "" && e.Tenant != upnext.DefaultTenant {
				name += " of " + string(e.Tenant)
			}
			body.Breakers[name] = "away"
		}
	}
	err := a.Recommender.Ready()
	for i := 0; i < len(a.Recommender.Tenants) && err == nil; i++ {
		var slate upnext.Slate
		slate, err = a.Recommender.Recommend(ctx, a.Recommender.Tenants[i], upnext.Request{Count: 1, Unrecorded: true})
		for _, d := range slate.Degraded {
			body.Degraded = append(body.Degraded, degradedBody(d))
		}
	}
	if body.Ready = err == nil; err != nil {
		body.Reason = err.Error()
	}
	return body
}

// check asks all engines at once how they are; one that does not come back in
// time is not well.
func (a *api) check(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	type state struct {
		name string
		err  error
	}
	states, found := make(chan state, len(a.Dependencies)), map[string]string{}
	for _, d := range a.Dependencies {
		found[d.Name] = "unavailable"
		go func() { states <- state{d.Name, d.Check(ctx)} }()
	}
	for range a.Dependencies {
		select {
		case s := <-states:
			if s.err == nil {
				found[s.name] = "ok"
			} else { // anybody may ask: the reason is for the log
				a.Logger.Warn("engine not well", "engine", s.name, "error", s.err)
			}
		case <-ctx.Done():
			return found
		}
	}
	return found
}
