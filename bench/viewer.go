package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"upnext"
)

// How made-up viewers behave.
const (
	tastes    = 3 // topics of a viewer
	leastActs = 5
	meanActs  = 28 // of a viewer's history
	span      = 30 * 24 * time.Hour
	follows   = 2 // creators that a viewer follows, and as many users
	inVisit   = 3 // acts that belong to the session that goes on
)

// Viewer names viewer v.
func Viewer(v int) upnext.ViewerID { return upnext.ViewerID{ID: fmt.Sprintf("viewer-%06d", v)} }

// session is the one that a viewer is in while the server is loaded.
func session(v int) string { return fmt.Sprintf("visit-%06d", v) }

// eventID names an event that is sent while the server is loaded.
func eventID(n int64) upnext.EventID { return upnext.EventID(fmt.Sprintf("e%d", n)) }

// taste is what a viewer is drawn to: some topics, the first most.
func (w *World) taste(v int) []int {
	r := w.random(saltTaste, uint64(v))
	topics := make([]int, tastes)
	for i := range topics {
		topics[i] = r.IntN(w.topics)
	}
	return topics
}

// pick draws an item that the viewer might watch: of one of their topics, the
// first ones of a topic far more often than the last.
func (w *World) pick(r *rand.Rand, taste []int) int {
	for {
		list := w.of[taste[min(r.IntN(tastes), r.IntN(tastes))]]
		if len(list) == 0 { // nobody makes anything about it
			taste = []int{r.IntN(w.topics), r.IntN(w.topics), r.IntN(w.topics)}
			continue
		}
		return int(list[int(float64(len(list))*math.Pow(r.Float64(), 2.5))])
	}
}

// act is something that a viewer does with an item at a time.
func (w *World) act(r *rand.Rand, v int, taste []int, id upnext.EventID, at time.Time) upnext.Event {
	e := upnext.Event{ID: id, Kind: upnext.Complete, At: at, ReceivedAt: at, Viewer: Viewer(v), Item: ID(w.pick(r, taste))}
	length := time.Duration(60+r.IntN(600)) * time.Second
	switch n := r.IntN(20); {
	case n < 12:
		e.Watch = &upnext.Watch{Watched: length, Position: length, Duration: length}
	case n < 15:
		e.Kind = upnext.Like
	case n < 17: // they may go on with it
		e.Kind, e.Watch = upnext.Progress, &upnext.Watch{Watched: length / 3, Position: length / 3, Duration: length}
	case n < 19:
		e.Kind = upnext.Skip
	default:
		e.Kind = upnext.Play
	}
	return e
}

// History is what viewer v has done before the bench, oldest first.
func (w *World) History(v int) []upnext.Event {
	r, taste := w.random(saltHistory, uint64(v)), w.taste(v)
	n := leastActs + int(r.ExpFloat64()*(meanActs-leastActs))
	events := make([]upnext.Event, 0, n+2*follows)
	for i := range n {
		// The nearer to now the more: those of the last days trend.
		ago := time.Minute + time.Duration(float64(span)*math.Pow(r.Float64(), 2))
		if i < inVisit {
			ago = time.Duration(i+1) * time.Minute
		}
		e := w.act(r, v, taste, upnext.EventID(fmt.Sprintf("h%d", i)), w.Now.Add(-ago))
		if i < inVisit {
			e.Session = session(v)
		}
		events = append(events, e)
	}
	at := w.Now.Add(-span)
	follow := func(i int) upnext.Event {
		return upnext.Event{ID: upnext.EventID(fmt.Sprintf("f%d", i)), Kind: upnext.Follow, At: at, ReceivedAt: at, Viewer: Viewer(v)}
	}
	for i := range follows {
		creator, user := follow(2*i), follow(2*i+1)
		creator.Creator = creatorID(w.creatorOf(w.pick(r, taste)))
		user.Target = Viewer(r.IntN(w.Viewers)).ID
		events = append(events, creator, user)
	}
	slices.SortStableFunc(events, func(a, b upnext.Event) int { return a.At.Compare(b.At) })
	return events
}
