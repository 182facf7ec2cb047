package rabitq

import (
	"encoding/binary"
	"errors"
	"math"
)

// errCut is what reading past the end of a record gives.
var errCut = errors.New("record ends early")

// writer builds a record: varints, little-endian arrays, strings by length.
type writer struct{ b []byte }

func (w *writer) byte(v byte)   { w.b = append(w.b, v) }
func (w *writer) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) floats(v []float32) {
	for _, x := range v {
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(x))
	}
}

func (w *writer) words(v []uint64) {
	for _, x := range v {
		w.b = binary.LittleEndian.AppendUint64(w.b, x)
	}
}

// reader takes a record apart. After its first error it returns zeros, so that
// callers ask for err once; lengths are checked before memory is taken.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.err = errors.Join(r.err, errCut)
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errors.Join(r.err, errCut)
		return 0
	}
	r.take(uint64(n))
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.err = errors.Join(r.err, errCut)
		return 0
	}
	r.take(uint64(n))
	return v
}

// count reads how many things of at least size bytes follow.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.b)/size) {
		r.err = errors.Join(r.err, errCut)
		return 0
	}
	return int(n)
}

func (r *reader) string() string { return string(r.take(r.uint())) }

func (r *reader) floats(n int) []float32 {
	b := r.take(uint64(n) * 4)
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[i*4:]))
	}
	return v
}

func (r *reader) words(n int) []uint64 {
	b := r.take(uint64(n) * 8)
	v := make([]uint64, len(b)/8)
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	return v
}
