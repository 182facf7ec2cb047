package rabitq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"

	"upnext"
)

// A snapshot is all of a state but the regions: ids, scales, codes and columns,
// as of the beginning of the log of the same number. The regions were synced
// before it was written; what the log changed in them since, replay changes
// again.
const snapshotMagic = "upnxrbq1"

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
	if end < len(snapshotMagic) || string(b[:len(snapshotMagic)]) != snapshotMagic {
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
	if r.byte() == 1 {
		s.codes = readCodes(r, s.spec.Dim)
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

// write and readCodes keep the codes of all slots that there is room for.
func (c *codes) write(w *writer) {
	w.uint(uint64(len(c.scale)))
	w.uint(uint64(c.madeFor))
	w.uint(uint64(c.written))
	w.uint(uint64(c.depth.Ten))
	w.uint(uint64(c.depth.Hundred))
	w.floats(c.centre)
	w.words(c.bits)
	w.floats(c.scale)
	w.floats(c.sum)
	w.floats(c.bias)
}

func readCodes(r *reader, dim int) *codes {
	room := r.count(12)
	madeFor, written := int(r.uint()), int(r.uint())
	d := depth{int(r.uint()), int(r.uint())}
	c := newCodes(dim, r.floats(dim))
	c.madeFor, c.written, c.depth = madeFor, written, d
	c.bits = r.words(room * c.words)
	c.scale, c.sum, c.bias = r.floats(room), r.floats(room), r.floats(room)
	return c
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
	for slot := range uint32(used) {
		if c.present.has(slot) {
			held := c.texts.slots[slot]
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
	x.slots = make([][]uint32, used)
	for slot := range uint32(used) {
		if !c.present.has(slot) {
			continue
		}
		x.slots[slot] = make([]uint32, r.count(1))
		for i := range x.slots[slot] {
			code := uint32(r.uint())
			if int(code) >= len(x.values) {
				r.err = errors.Join(r.err, errCut)
				return c
			}
			x.slots[slot][i] = code
			x.postings[code].add(slot)
			x.codes[x.values[code]] = code // not of the free ones, whose value is empty
		}
	}
	return c
}
