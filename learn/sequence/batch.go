package sequence

import (
	"cmp"
	"slices"
)

// batch is a few runs of items, packed without padding. A row is one act.
type batch struct {
	lengths []int   // of the runs, longest first
	first   []int   // run by run: each run's first row; step by step: each step's
	items   []int32 // one a row
	targets []int32 // what came next; empty where that is not asked
	last    []int   // each run's last row
	noise   uint64  // the seed of dropout
}

// rows is how many acts it holds.
func (b *batch) rows() int { return len(b.items) }

// pack lays out runs, which must come longest first. Run by run the acts of one
// run are neighbours, as attention wants them; step by step the acts of the
// same age are, as a recurrence does. With targets, each run's last item is
// only the target of the one before it.
func (b *batch) pack(runs [][]int32, stepwise, targets bool) {
	*b = batch{lengths: b.lengths[:0], first: b.first[:0], items: b.items[:0], targets: b.targets[:0], last: b.last[:0]}
	for _, run := range runs {
		n := len(run)
		if targets {
			n--
		}
		b.lengths = append(b.lengths, n)
		b.last = append(b.last, 0)
	}
	put := func(s, t int) {
		b.last[s] = len(b.items)
		b.items = append(b.items, runs[s][t])
		if targets {
			b.targets = append(b.targets, runs[s][t+1])
		}
	}
	if !stepwise {
		for s, n := range b.lengths {
			b.first = append(b.first, len(b.items))
			for t := range n {
				put(s, t)
			}
		}
		return
	}
	for t := 0; len(b.lengths) > 0 && t < b.lengths[0]; t++ {
		b.first = append(b.first, len(b.items))
		for s := 0; s < len(b.lengths) && b.lengths[s] > t; s++ {
			put(s, t)
		}
	}
}

// alive is how many runs are at least t+1 long.
func (b *batch) alive(t int) int {
	if t+1 < len(b.first) {
		return b.first[t+1] - b.first[t]
	}
	return b.rows() - b.first[t]
}

// divide gives runs to shards, the longest first to the shard that has the
// least to do, and cuts what each has into portions of at most rows acts. It
// depends on its arguments alone.
func divide(runs [][]int32, shards, rows int) [][][][]int32 {
	order := slices.Clone(runs)
	slices.SortStableFunc(order, func(x, y []int32) int { return cmp.Compare(len(y), len(x)) })
	portions := make([][][][]int32, shards)
	load, room := make([]int, shards), make([]int, shards)
	for _, run := range order {
		s := 0
		for other := range load {
			if load[other] < load[s] {
				s = other
			}
		}
		load[s] += len(run) + len(run)*len(run)/1000 // attention grows with the square
		if len(portions[s]) == 0 || room[s] < len(run) {
			portions[s] = append(portions[s], nil)
			room[s] = rows
		}
		at := len(portions[s]) - 1
		portions[s][at] = append(portions[s][at], run)
		room[s] -= len(run)
	}
	return portions
}

// begin is where the part of a history of n acts begins that a model reads: at
// most length acts, and from a multiple of hop on, so that a state can be
// advanced hop times before it must be made anew.
func begin(n, length, hop int) int {
	if n <= length {
		return 0
	}
	return (n - length + hop - 1) / hop * hop
}
