package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"upnext"
	"upnext/learn"
)

// readPage is how many events one read takes.
const readPage = 5000

// few clear events are one in so many.
const few = 10

// behaviour is a tenant's events as models learn from them.
type behaviour struct {
	log    learn.Log
	items  []upnext.ItemID // by number, in order of their ids
	acts   int
	newest time.Time
}

// act is one event that speaks for its item.
type act struct {
	item  upnext.ItemID
	at    time.Time
	seq   int64
	clear bool
}

// read gathers what viewers took to. Items of fewer acts than least are left
// out: nothing can be learned of them, and by their content they are found
// anyway. An item right after itself counts once: watching, finishing and
// liking it is one act.
func (tr *Trainer) read(ctx context.Context, t upnext.Tenant) (behaviour, error) {
	speaks, err := tr.Speaks(ctx, t)
	if err != nil {
		return behaviour{}, fmt.Errorf("read the events: %w", err)
	}
	viewers := map[upnext.ViewerID][]act{}
	counts := map[upnext.ItemID]int{}
	all, clear := 0, 0
	for after := int64(0); ; {
		events, err := tr.Events.Since(ctx, t, after, readPage)
		if err != nil {
			return behaviour{}, fmt.Errorf("read the events: %w", err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			after = e.Seq
			if atAll, clearly := speaks(e); atAll {
				viewers[e.Viewer] = append(viewers[e.Viewer], act{e.Item, e.At, e.Seq, clearly})
				all++
				if clearly {
					clear++
				}
			}
		}
	}
	for v, acts := range viewers {
		if clear*few >= all {
			acts = slices.DeleteFunc(acts, func(a act) bool { return !a.clear })
		}
		slices.SortFunc(acts, func(a, b act) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.seq, b.seq)) })
		acts = slices.CompactFunc(acts, func(a, b act) bool { return a.item == b.item })
		viewers[v] = acts
		for _, a := range acts {
			counts[a.item]++
		}
	}
	var b behaviour
	for id, n := range counts {
		if n >= tr.Least {
			b.items = append(b.items, id)
		}
	}
	slices.Sort(b.items)
	b.number(viewers)
	return b, nil
}

// number makes the log, viewers in the order of their names, so that equal
// events give equal logs.
func (b *behaviour) number(viewers map[upnext.ViewerID][]act) {
	number := make(map[upnext.ItemID]int32, len(b.items))
	for i, id := range b.items {
		number[id] = int32(i)
	}
	names := make([]upnext.ViewerID, 0, len(viewers))
	for v := range viewers {
		names = append(names, v)
	}
	slices.SortFunc(names, func(a, b upnext.ViewerID) int { return cmp.Compare(a.String(), b.String()) })
	b.log.Items = len(b.items)
	for _, v := range names {
		var h learn.History
		for _, a := range viewers[v] {
			if n, ok := number[a.item]; ok {
				h.Items = append(h.Items, n)
				h.At = append(h.At, a.at.Unix())
				if a.at.After(b.newest) {
					b.newest = a.at
				}
			}
		}
		if len(h.Items) > 0 {
			b.log.Viewers = append(b.log.Viewers, h)
			b.acts += len(h.Items)
		}
	}
}
