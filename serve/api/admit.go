package api

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"upnext/serve"
	"upnext/serve/door"
)

// admit lets a request in by its class, once its body is here, so that a slow
// client holds no place. Health, metrics and the console do not come to the
// door: whoever watches an overloaded server must see it.
func (a *api) admit(c *gin.Context) {
	class := classOf(c)
	if class == "" {
		return
	}
	came := time.Now()
	leave, err := a.door.Enter(c.Request.Context(), class)
	if errors.Is(err, door.ErrFull) {
		a.fail(c, overloaded(class))
		return
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	// What was refused in no time must not speak of how long answers take.
	defer func() { leave(c.Writer.Status() < http.StatusBadRequest) }()
	c.Request = c.Request.WithContext(serve.Arrived(c.Request.Context(), came))
	c.Next()
}

// overloaded is the refusal; who sent events is to try again soonest.
func overloaded(class door.Class) *Problem {
	p := newProblem(http.StatusServiceUnavailable, "too much is asked of this server at once: "+string(class)+" are not taken now; try again later, as Retry-After says")
	p.Code = "overloaded"
	seconds := map[door.Class]int{door.Events: 1, door.Answers: 1, door.Writes: 2, door.Low: 5, door.Rest: 5}[class]
	p.later = seconds + rand.IntN(seconds+1) // not all at the same moment
	return p
}

// answering are the first segments of what answers viewers.
var answering = map[string]bool{"recommend": true, "similar": true, "search": true, "rank": true, "pages": true, "conversations": true}

// classOf sorts a request: "" is what always enters.
func classOf(c *gin.Context) door.Class {
	rest, ok := strings.CutPrefix(c.FullPath(), "/v1/")
	if !ok {
		if strings.HasPrefix(c.FullPath(), "/media/") {
			return door.Rest
		}
		return ""
	}
	first, more, _ := strings.Cut(rest, "/")
	reads := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	switch {
	case answering[first] && !reads:
		if patientCaller(c.GetHeader("Priority")) {
			return door.Low
		}
		return door.Answers
	case (first == "events" || first == "beacon") && !reads:
		if c.GetBool(longBody) {
			return door.Writes // a file of events, not a viewer's
		}
		return door.Events
	case (first == "items" || first == "users") && more != "" && !reads:
		return door.Writes
	}
	return door.Rest
}

// patientCaller says whether a Priority header (RFC 9218) puts a request
// behind others: u=5 to u=7. The default is 3; nobody can get before others.
func patientCaller(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if u, ok := strings.CutPrefix(strings.TrimSpace(part), "u="); ok {
			n, err := strconv.Atoi(u)
			return err == nil && n >= 5 && n <= 7
		}
	}
	return false
}

// openDoor makes the door and the measures of bodies.
func (a *api) openDoor() {
	if a.Door == (door.Settings{}) {
		a.Door = door.DefaultSettings()
	}
	a.door = door.New(a.Door, a.Metrics)
	a.bodies.most = a.BodyMemory
	if a.bodies.most == 0 {
		a.bodies.most = 256 << 20
	}
	a.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "upnext_body_bytes", Help: "What the bodies of requests under way take in memory.",
	}, func() float64 { return float64(a.bodies.held.Load()) }))
}
