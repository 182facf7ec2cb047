package rabitq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"

	"upnext"
	"upnext/learn/kernel/quantised"
)

// A snapshot is all of a state but the regions: ids, scales, codes and columns,
// as of the beginning of the log of the same number. The regions were synced
// before it was written; what the log changed in them since, replay changes
// again.
const (
	snapshotMagic = "upnxrbq2"
	formerMagic   = "upnxrbq1" // its codes were in no cells: they are made anew
)

// writeSnapshot puts it at path, whole or not at all.
func (s *state) writeSnapshot(path string, sequence uint64) error {
	w := writer{b: make([]byte, 0, s.used*(s.stride/4+64)+1<<16)}
	w.b = append(w.b, snapshotMagic...)
	w.uint(sequence)
	w.uint(uint64(s.spec.Dim))
	w.uint(uint64(s.used))
	w.uint(uint64(s.room))
	for _, id := range s.ids {
		w.string(string(id)) // empty: the slot is free
	}
	w.uint(uint64(len(s.free)))
	for _, slot := range s.free {
		w.uint(uint64(slot))
	}
	w.floats(s.scales)
	w.floats([]float32{s.largest})
	if s.codes == nil {
		w.byte(0)
	} else {
		w.byte(1)
		s.codes.write(&w)
	}
	w.uint(uint64(len(s.names)))
	for _, name := range s.names {
		w.string(name)
		s.columns[name].write(&w, s.used)
	}
	w.b = binary.LittleEndian.AppendUint32(w.b, crc32.Checksum(w.b, castagnoli))
	return writeFile(path, func(f *os.File) error {
		_, err := f.Write(w.b)
		return err
	})
}

// readSnapshot fills an empty state from path.
func (s *state) readSnapshot(path string) (sequence uint64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	end := len(b) - 4
	if end < len(snapshotMagic) {
		return 0, errors.New("not a snapshot")
	}
	former := string(b[:len(formerMagic)]) == formerMagic
	if !former && string(b[:len(snapshotMagic)]) != snapshotMagic {
		return 0, errors.New("not a snapshot")
	}
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return 0, errors.New("checksum does not match: the file is damaged")
	}
	r := &reader{b: b[len(snapshotMagic):end]}
	sequence = r.uint()
	if dim := r.uint(); dim != uint64(s.spec.Dim) {
		return 0, fmt.Errorf("of %d components, want %d", dim, s.spec.Dim)
	}
	s.used = r.count(1)
	room := int(r.uint())
	s.ids = make([]upnext.ItemID, s.used)
	for slot := range s.ids {
		id := upnext.ItemID(r.string())
		if s.ids[slot] = id; id != "" {
			s.slot[id] = uint32(slot)
			s.alive = s.alive.add(uint32(slot))
			s.live++
		}
	}
	s.free = make([]uint32, r.count(1))
	for i := range s.free {
		s.free[i] = uint32(r.uint())
	}
	s.scales = r.floats(s.used)
	if f := r.floats(1); len(f) == 1 {
		s.largest = f[0]
	}
	switch coded := r.byte() == 1; {
	case coded && former:
		skipFormerCodes(r, s.spec.Dim)
	case coded:
		s.codes = s.readCodes(r)
	}
	s.readColumns(r)
	if r.err != nil || len(r.b) > 0 || len(s.scales) != s.used || room < s.used {
		return 0, errors.Join(errors.New("does not read as what was written"), r.err)
	}
	for len(s.alive) < (s.used+63)/64 {
		s.alive = append(s.alive, 0) // its last slots are all free
	}
	for r, size := range map[*region]int{s.vectors: room * s.stride * 4, s.rows: room * s.stride} {
		if stat, err := r.file.Stat(); err != nil {
			return 0, err
		} else if stat.Size() < int64(size) {
			return 0, fmt.Errorf("%s is cut off: %d bytes, want %d", r.file.Name(), stat.Size(), size)
		}
	}
	return sequence, s.resize(room, unshared{})
}

// unshared is the lock of a state that no reader has yet.
type unshared struct{}

func (unshared) Lock()   {}
func (unshared) Unlock() {}

// write and readCodes keep the codes, cell by cell.
func (c *codes) write(w *writer) {
	w.uint(uint64(c.madeFor))
	w.uint(uint64(c.written))
	for _, e := range c.efforts {
		for _, n := range []int{e.reach.Ten, e.reach.Hundred, e.depth.Ten, e.depth.Hundred} {
			w.uint(uint64(n))
		}
	}
	w.floats(c.centre)
	w.uint(uint64(len(c.cells.lists)))
	w.b = append(w.b, c.cells.rows...)
	w.floats(c.cells.scales)
	for i := range c.cells.lists {
		l := &c.cells.lists[i]
		w.uint(uint64(l.count))
		l.each(func(seg *segment, n int) {
			for _, slot := range seg.slots[:n] {
				w.uint(uint64(slot))
			}
			w.words(seg.bits)
			w.floats(seg.scale[:n])
			w.floats(seg.sum[:n])
			w.floats(seg.bias[:n])
		})
	}
}

// readCodes reads them for the live slots, of which each has one.
func (s *state) readCodes(r *reader) *codes {
	madeFor, written := int(r.uint()), int(r.uint())
	var efforts [len(recalls)]effort
	for i, recall := range recalls {
		efforts[i] = effort{recall, depth{int(r.uint()), int(r.uint())}, depth{int(r.uint()), int(r.uint())}}
	}
	centre := r.floats(s.spec.Dim)
	n := r.count(s.stride)
	in := &cells{stride: s.stride, lists: make([]cell, n), places: make([]place, s.used)}
	padded := (n + 3) &^ 3
	in.rows, in.scales = slices.Clone(r.take(uint64(padded*s.stride))), r.floats(padded)
	c := newCodes(s.spec.Dim, centre, in)
	c.madeFor, c.written, c.efforts = madeFor, written, efforts
	placed := 0
	for i := range in.lists {
		l := &in.lists[i]
		count := r.count(c.words * 8)
		for start := 0; start < count && r.err == nil; start += segmentSize {
			here := min(segmentSize, count-start)
			for range here {
				slot := uint32(r.uint())
				if !s.alive.has(slot) || in.places[slot].number != 0 {
					r.err = errors.Join(r.err, errCut)
					return c
				}
				in.places[slot] = l.take(slot, uint32(i), c.words)
			}
			seg := l.segments[start/segmentSize]
			copy(seg.bits, r.words(len(seg.bits)))
			for _, f := range [][]float32{seg.scale[:here], seg.sum[:here], seg.bias[:here]} {
				copy(f, r.floats(here))
			}
		}
		placed += count
	}
	if placed != s.live {
		r.err = errors.Join(r.err, errCut)
	}
	return c
}

// skipFormerCodes passes over codes of the former layout: by slot.
func skipFormerCodes(r *reader, dim int) {
	room := r.count(12)
	for range 4 {
		r.uint()
	}
	r.take(uint64(4*dim + room*(quantised.Padded(dim)/8+12)))
}

// write keeps a column: its type, the unknown slots, and each slot's value.
func (c *column) write(w *writer, used int) {
	w.string(string(c.typ))
	w.uint(uint64(len(c.unknown)))
	w.words(c.unknown)
	w.uint(uint64(len(c.present)))
	w.words(c.present)
	if c.texts == nil {
		for slot := range uint32(used) {
			if c.present.has(slot) {
				w.int(c.keys[slot])
			}
		}
		return
	}
	w.uint(uint64(len(c.texts.values)))
	for _, v := range c.texts.values {
		w.string(v)
	}
	w.uint(uint64(len(c.texts.free)))
	for _, code := range c.texts.free {
		w.uint(uint64(code))
	}
	var held []uint32
	for slot := range uint32(used) {
		if c.present.has(slot) {
			held = c.texts.held(held[:0], slot)
			w.uint(uint64(len(held)))
			for _, code := range held {
				w.uint(uint64(code))
			}
		}
	}
}

// readColumns reads the columns that there were. One that the spec has had
// since, or has with another type now, knows nothing of the slots before it.
func (s *state) readColumns(r *reader) {
	read := map[string]*column{}
	for range r.count(1) {
		name := r.string()
		if read[name] = readColumn(r, s.used); r.err != nil {
			return
		}
	}
	for name, c := range s.columns {
		if was := read[name]; was != nil && was.typ == c.typ {
			s.columns[name] = was
		} else {
			c.unknown = slices.Clone(s.alive)
		}
	}
}

func readColumn(r *reader, used int) *column {
	c := newColumn(upnext.AttributeType(r.string()))
	c.unknown = r.words(r.count(8))
	c.present = r.words(r.count(8))
	if c.texts == nil {
		c.keys = make([]int64, (used+63)/64*64)
		for slot := range uint32(used) {
			if c.present.has(slot) {
				c.keys[slot] = r.int()
			}
		}
		return c
	}
	x := c.texts
	x.values = make([]string, r.count(1))
	x.postings = make([]posting, len(x.values))
	for code := range x.values {
		x.values[code] = r.string()
	}
	x.free = make([]uint32, r.count(1))
	for i := range x.free {
		x.free[i] = uint32(r.uint())
	}
	x.first = make([]uint32, used)
	var held []uint32
	for slot := range uint32(used) {
		if !c.present.has(slot) {
			continue
		}
		held = held[:0]
		for range r.count(1) {
			code := uint32(r.uint())
			if int(code) >= len(x.values) {
				r.err = errors.Join(r.err, errCut)
				return c
			}
			held = append(held, code)
			x.postings[code].add(slot)
			x.codes[x.values[code]] = code // not of the free ones, whose value is empty
		}
		x.hold(slot, held)
	}
	return c
}
