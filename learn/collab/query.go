package collab

import (
	"sync"

	"upnext/learn"
)

// term is one row of weights and what it counts.
type term struct {
	row    int
	weight float32
}

// asker turns histories into terms. Its buffers are shared by a pool: it may be
// used by many at once.
type asker struct {
	items  int
	decays []Decay
	repeat bool // items that come again count again, otherwise once, as of their newest act

	buffers *sync.Pool
}

func newAsker(items int, decays []Decay, repeat bool) asker {
	return asker{items, decays, repeat, &sync.Pool{New: func() any { return &question{seen: make([]bool, items)} }}}
}

// question is the buffers of one call.
type question struct {
	seen  []bool  // all false between calls
	met   []int32 // where it is not
	terms []term
}

// terms are the rows that a history asks for: item i at scale s is row s·items + i.
// Items out of range are passed over and do not age the others. The result is
// the caller's until done.
func (a asker) terms(h learn.History) *question {
	q := a.buffers.Get().(*question)
	q.terms, q.met = q.terms[:0], q.met[:0]
	age := 0
	for i := len(h.Items) - 1; i >= 0; i-- {
		item := int(h.Items[i])
		if item < 0 || item >= a.items || q.seen[item] {
			continue
		}
		if !a.repeat {
			q.seen[item] = true
			q.met = append(q.met, h.Items[i])
		}
		some := false
		for s, d := range a.decays {
			if w := float32(d.of(age, past(h, i))); w > 0 {
				q.terms = append(q.terms, term{s*a.items + item, w})
			}
			some = some || d.Last == 0 || age < d.Last
		}
		if !some {
			break // the older ones count nothing either
		}
		age++
	}
	for _, item := range q.met {
		q.seen[item] = false
	}
	return q
}

// done gives the buffers back.
func (a asker) done(q *question) { a.buffers.Put(q) }
