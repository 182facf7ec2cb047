package milvus

import (
	"slices"
	"sync"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

// What an overlay holds at most; past it reads are strong until the server is
// sure to show what was in it.
const (
	mostRecent     = 5000
	heaviestRecent = 64 << 20
)

// overlay is what this process wrote too lately for a bounded read to be sure
// of it. Reads lay it over what the server says. The zero value is empty; safe
// for concurrent use.
type overlay struct {
	mu      sync.Mutex
	recent  map[upnext.ItemID]change
	order   []written // oldest first
	serial  uint64
	bytes   int
	strong  time.Time // until then the overlay is not all there is
	flights map[upnext.ItemID]*flight
}

// change is the last that was written of an id.
type change struct {
	serial uint64
	entry  index.Entry // without a vector where it was deleted
	weight int
}

// written is a place in the order of changes, until a bounded read is sure of it.
type written struct {
	id     upnext.ItemID
	serial uint64
	until  time.Time
}

// flight is an id in calls that the server has not answered. Of two at once
// nobody knows which the server did last.
type flight struct {
	calls     int
	contended bool
}

// view is how a read sees the collection: at a level, with changes laid over.
type view struct {
	level  entity.ConsistencyLevel
	recent map[upnext.ItemID]index.Entry
}

// begin notes that entries are being written; one without a vector is a delete.
func (o *overlay) begin(entries []index.Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flights == nil {
		o.flights = map[upnext.ItemID]*flight{}
	}
	for _, e := range entries {
		f := o.flights[e.ID]
		if f == nil {
			f = &flight{}
			o.flights[e.ID] = f
		}
		f.calls++
		f.contended = f.contended || f.calls > 1
	}
}

// end notes that the server answered. What it refused may have been done all
// the same, and of contended ids the last is not known: reads are strong then.
func (o *overlay) end(entries []index.Entry, failed bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	doubtful := failed
	for _, e := range entries {
		f := o.flights[e.ID]
		doubtful = doubtful || f.contended
		if f.calls--; f.calls == 0 {
			delete(o.flights, e.ID)
		}
	}
	o.expire(now)
	if doubtful || len(o.recent)+len(entries) > mostRecent {
		o.forget(now)
		return
	}
	if o.recent == nil {
		o.recent = map[upnext.ItemID]change{}
	}
	for _, e := range entries {
		o.serial++
		e.Vector = slices.Clone(e.Vector)
		weight := 4*len(e.Vector) + 100*len(e.Fields) + len(e.ID) + 200
		o.bytes += weight - o.recent[e.ID].weight
		o.recent[e.ID] = change{o.serial, e, weight}
		o.order = append(o.order, written{e.ID, o.serial, now.Add(staleFor)})
	}
	if o.bytes > heaviestRecent {
		o.forget(now)
	}
}

// doubt makes reads strong until the server is sure to show what it holds now.
func (o *overlay) doubt(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget(now)
}

func (o *overlay) forget(now time.Time) {
	o.recent, o.order, o.bytes = nil, nil, 0
	o.strong = now.Add(staleFor)
}

// expire drops what a bounded read is sure of.
func (o *overlay) expire(now time.Time) {
	gone := 0
	for ; gone < len(o.order) && !now.Before(o.order[gone].until); gone++ {
		w := o.order[gone]
		if is, ok := o.recent[w.id]; ok && is.serial == w.serial {
			o.bytes -= is.weight
			delete(o.recent, w.id)
		}
	}
	if gone > 0 {
		o.order = slices.Clone(o.order[gone:]) // the front is let go
	}
}

// view is how a read that begins now sees the collection.
func (o *overlay) view(now time.Time) view {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expire(now)
	if now.Before(o.strong) {
		return view{level: entity.ClStrong}
	}
	v := view{level: entity.ClBounded, recent: make(map[upnext.ItemID]index.Entry, len(o.recent))}
	for id, c := range o.recent {
		v.recent[id] = c.entry
	}
	return v
}
