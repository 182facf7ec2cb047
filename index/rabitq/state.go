package rabitq

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"upnext"
	"upnext/index"
	"upnext/learn/kernel/quantised"
)

// state is what a collection holds, by slot: an entry keeps its slot while it
// lives, an upsert overwrites it in place, and a deleted one's slot is the next
// to be used. Whoever changes state does so alone; the parts that readers look
// at only under the lock.
type state struct {
	spec   index.Spec
	stride int // quantised.Padded(spec.Dim)
	kernel kernel
	limits limits

	used  int // slots that have ever held an entry
	live  int // entries
	ids   []upnext.ItemID
	slot  map[upnext.ItemID]uint32
	free  []uint32
	alive bitset

	room    int     // slots that vectors and rows have place for
	vectors *region // float32, stride a slot
	rows    *region // bytes, stride a slot: see quantised.Row
	scales  []float32
	largest float32 // of scales, ever

	codes   *codes // nil while a scan of the rows is as fast
	columns map[string]*column
	names   []string // of columns, in order

	staged []staged // scratch of apply
	turned []float32
}

// limits are the sizes at which a collection changes its ways. Tests lower
// them, to come by those ways with little.
type limits struct {
	codes int   // live entries from which on there are codes
	log   int64 // bytes of the longest log of a small collection
}

var usual = limits{codes: 20_000, log: 64 << 20}

// staged is an entry made ready outside the lock.
type staged struct {
	row   []byte
	scale float32
	code  code
	cell  uint32
}

const (
	chunk    = 64        // entries put under one lock: some 100 µs
	roomUnit = 256       // slots; keeps regions whole pages and blocks of eight whole
	roomStep = 64 * 1024 // slots; the most by which room grows at once
)

func newState(spec index.Spec, k kernel, l limits) *state {
	s := &state{kernel: k, limits: l, spec: index.Spec{Dim: spec.Dim}, stride: quantised.Padded(spec.Dim), slot: map[upnext.ItemID]uint32{}, columns: map[string]*column{}}
	s.staged = make([]staged, chunk)
	for i := range s.staged {
		s.staged[i].row = make([]byte, s.stride)
	}
	s.turned = make([]float32, s.stride)
	s.widen(spec)
	return s
}

// vector returns the vector in a slot, padded with zeros.
func (s *state) vector(slot uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&s.vectors.mapped[int(slot)*s.stride*4])), s.stride)
}

func (s *state) row(slot uint32) []byte { return s.rows.mapped[int(slot)*s.stride:][:s.stride] }

// widen makes spec's columns. Of what is there already their values are
// unknown: filters let those entries through until they are put again.
func (s *state) widen(spec index.Spec) {
	for name, typ := range spec.Fields {
		if c := s.columns[name]; c == nil || c.typ != typ {
			s.columns[name] = newColumn(typ)
			s.columns[name].unknown = slices.Clone(s.alive)
		}
	}
	s.spec = spec
	s.names = columnNames(spec)
}

// reserve makes place for that many more entries, on disk and in memory.
func (s *state) reserve(entries int, readers sync.Locker) error {
	need := s.used + max(0, entries-len(s.free))
	if need <= s.room {
		return nil
	}
	room := max(need, s.room+min(max(s.room, roomUnit), roomStep))
	return s.resize((room+roomUnit-1)/roomUnit*roomUnit, readers)
}

// resize maps room slots.
func (s *state) resize(room int, readers sync.Locker) error {
	if room == 0 {
		return nil // nothing can be mapped of an empty file
	}
	vectors, err := s.vectors.grown(room * s.stride * 4)
	if err != nil {
		return err
	}
	rows, err := s.rows.grown(room * s.stride)
	if err != nil {
		_ = vectors.release() // the first error is the one to tell
		return err
	}
	readers.Lock()
	oldVectors, oldRows := s.vectors, s.rows
	s.vectors, s.rows, s.room = vectors, rows, room
	readers.Unlock() // none looks at the old mappings any more
	if err := oldVectors.release(); err != nil {
		return fmt.Errorf("unmap: %w", err)
	}
	return oldRows.release()
}

// apply makes the change. Place was reserved; the lock is taken for a chunk at
// a time, so that readers wait some microseconds and not for a whole import.
func (s *state) apply(o *operation, readers sync.Locker) {
	known := s.names
	if !slices.Equal(o.columns, s.names) {
		known = o.columns // of a log from before the columns were widened
	}
	for part := range slices.Chunk(o.entries, chunk) {
		for i, e := range part {
			ready := &s.staged[i]
			ready.scale = quantised.Row(e.Vector, ready.row)
			if s.codes != nil {
				s.codes.encode(e.Vector, s.turned, &ready.code)
				ready.cell = s.codes.cells.nearest(s.kernel, e.Vector, s.codes.assigning)
			}
		}
		readers.Lock()
		for i, e := range part {
			s.put(e, &s.staged[i], known)
		}
		readers.Unlock()
	}
	for part := range slices.Chunk(o.deletes, 16*chunk) {
		readers.Lock()
		for _, id := range part {
			s.remove(id)
		}
		readers.Unlock()
	}
}

func (s *state) put(e index.Entry, ready *staged, known []string) {
	slot, ok := s.slot[e.ID]
	if !ok {
		slot = s.place(e.ID)
	}
	copy(s.vector(slot), e.Vector)
	copy(s.row(slot), ready.row)
	s.scales[slot] = ready.scale
	s.largest = max(s.largest, ready.scale)
	if s.codes != nil {
		s.codes.cells.put(slot, ready.cell, &ready.code)
		s.codes.written++
	}
	for _, name := range s.names {
		var value any = unknown{}
		if _, found := slices.BinarySearch(known, name); found {
			value = e.Fields[name]
		}
		s.columns[name].set(slot, value)
	}
}

// place gives a new entry its slot.
func (s *state) place(id upnext.ItemID) uint32 {
	var slot uint32
	if last := len(s.free) - 1; last >= 0 {
		slot = s.free[last]
		s.free = s.free[:last]
		s.ids[slot] = id
	} else {
		slot = uint32(s.used)
		s.used++
		s.ids = append(s.ids, id)
		s.scales = append(s.scales, 0)
	}
	s.slot[id] = slot
	s.alive = s.alive.add(slot)
	s.live++
	return slot
}

func (s *state) remove(id upnext.ItemID) {
	slot, ok := s.slot[id]
	if !ok {
		return
	}
	delete(s.slot, id)
	s.ids[slot] = ""
	s.alive.remove(slot)
	s.free = append(s.free, slot)
	s.live--
	if s.codes != nil {
		s.codes.cells.remove(slot)
	}
	for _, c := range s.columns {
		c.clear(slot)
	}
}
