package sequence

import "upnext/learn/kernel"

// touched is the items whose vectors a step has a gradient for. In a large
// catalogue they are few: the rest is neither cleared nor moved.
type touched struct {
	is    []bool
	items []int32
}

func newTouched(items int) touched { return touched{is: make([]bool, items)} }

func (t *touched) add(items []int32) {
	for _, i := range items {
		if i != masked && !t.is[i] {
			t.is[i] = true
			t.items = append(t.items, i)
		}
	}
}

// clear sets the gradient to 0 where it is not.
func (s *shard) clear(l *layout, d int) {
	clear(s.g[:l.items])
	for _, i := range s.rows.items {
		s.rows.is[i] = false
		clear(l.row(s.g, i, d))
	}
	s.rows.items = s.rows.items[:0]
}

// moveTouched is adam.updateAll for the items that any shard touched and for
// all other weights. An item's moments wait for its next step.
func (r *run) moveTouched(grads [][]float32, factor, shrink float32) {
	few, d, l := make([][]float32, len(grads)), r.net.dim(), r.v.layout
	for i, g := range grads {
		few[i] = g[:l.items]
	}
	r.opt.updateAll(r.v.w[:l.items], few, factor, shrink)
	all := &r.shards[0].rows
	for _, s := range r.shards[1:] {
		for _, item := range s.rows.items {
			r.shards[0].head.level.Axpy(l.row(grads[0], item, d), 1, l.row(s.g, item, d))
		}
		all.add(s.rows.items)
	}
	kernel.Parallel(len(grads), len(all.items), 64, func(_, from, to int) {
		for _, item := range all.items[from:to] {
			at := l.items + int(item)*d
			r.opt.update(r.v.w, grads[0], at, at+d, factor, shrink)
		}
	})
}
