// Package packed writes lists of numbers and texts one after the other, and reads
// them back: little-endian, each behind its length, a checksum at the end.
package packed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"unique"

	"upnext"
)

// Number is what lists are made of.
type Number interface {
	~int32 | ~int64 | ~uint64 | ~float32 | ~float64
}

var table = crc32.MakeTable(crc32.Castagnoli)

// Writer writes. Once it has failed it does nothing more; Close says why.
type Writer struct {
	to    *bufio.Writer
	sum   hash.Hash32
	bytes []byte // of what is written in one go
	err   error
}

// NewWriter returns one that writes to w.
func NewWriter(w io.Writer) *Writer {
	sum := crc32.New(table)
	return &Writer{to: bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<18), sum: sum}
}

// atOnce is how many numbers are turned into bytes, or back, in one go.
const atOnce = 1 << 14

// List writes a list.
func List[N Number](w *Writer, list []N) {
	w.write(uint64(len(list)))
	for len(list) > 0 {
		n := min(len(list), atOnce)
		w.write(list[:n])
		list = list[n:]
	}
}

// One writes a number.
func One[N Number](w *Writer, n N) { w.write(n) }

// Texts writes texts.
func Texts[S ~string](w *Writer, texts []S) {
	lengths := make([]int32, len(texts))
	for i, s := range texts {
		lengths[i] = int32(len(s))
	}
	List(w, lengths)
	for _, s := range texts {
		if w.err == nil {
			_, w.err = w.to.WriteString(string(s))
		}
	}
}

func (w *Writer) write(v any) {
	if w.err != nil {
		return
	}
	if w.bytes, w.err = binary.Append(w.bytes[:0], binary.LittleEndian, v); w.err == nil {
		_, w.err = w.to.Write(w.bytes)
	}
}

// Close writes the checksum and returns the first error.
func (w *Writer) Close() error {
	if w.err == nil {
		w.err = w.to.Flush()
	}
	w.write(w.sum.Sum32())
	if w.err == nil {
		w.err = w.to.Flush()
	}
	return w.err
}

// Reader reads what a Writer wrote. Once it has failed, all it returns is empty;
// Close says why.
type Reader struct {
	from *bufio.Reader
	sum  hash.Hash32
	err  error
}

// NewReader returns one that reads from r.
func NewReader(r io.Reader) *Reader {
	return &Reader{from: bufio.NewReaderSize(r, 1<<18), sum: crc32.New(table)}
}

// Read implements io.Reader, for binary.Read.
func (r *Reader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.sum.Write(b[:n])
	return n, err
}

// Numbers reads a list of at most so many.
func Numbers[N Number](r *Reader, most int) []N {
	var length uint64
	r.read(&length)
	if r.err == nil && length > uint64(most) {
		r.err = fmt.Errorf("a list of %d numbers, %d at most: %w", length, most, upnext.ErrInvalid)
	}
	if r.err != nil || length == 0 {
		return nil
	}
	// What a damaged length would ask for is not made before it is there.
	list := make([]N, 0, min(int(length), 64*atOnce))
	for len(list) < int(length) && r.err == nil {
		from, n := len(list), min(int(length)-len(list), atOnce)
		if from+n > cap(list) {
			list = append(make([]N, 0, min(int(length), 2*cap(list))), list...)
		}
		list = list[:from+n]
		r.read(list[from:])
	}
	if r.err != nil {
		return nil
	}
	return list
}

// Single reads a number.
func Single[N Number](r *Reader) (n N) {
	r.read(&n)
	return n
}

// Strings reads texts, at most so many. They share one piece of memory.
func Strings[S ~string](r *Reader, most int) []S {
	lengths := Numbers[int32](r, most)
	total := 0
	for _, n := range lengths {
		if n < 0 {
			r.err = fmt.Errorf("a text of %d bytes: %w", n, upnext.ErrInvalid)
			return nil
		}
		total += int(n)
	}
	if r.err != nil {
		return nil
	}
	var whole bytes.Buffer // it grows with what is there, not with what a damaged length says
	if _, r.err = io.CopyN(&whole, r, int64(total)); r.err != nil {
		return nil
	}
	all, texts := whole.String(), make([]S, len(lengths))
	for i, n := range lengths {
		texts[i], all = S(all[:n]), all[n:]
	}
	return texts
}

// Names writes texts of which many are the same: each once, and by number.
func Names[S ~string](w *Writer, texts []S) {
	var distinct []S
	number := map[S]int32{}
	numbers := make([]int32, len(texts))
	for i, s := range texts {
		n, ok := number[s]
		if !ok {
			n = int32(len(distinct))
			number[s], distinct = n, append(distinct, s)
		}
		numbers[i] = n
	}
	Texts(w, distinct)
	List(w, numbers)
}

// Named reads what Names wrote, at most so many.
func Named[S ~string](r *Reader, most int) []S {
	distinct, numbers := Strings[S](r, most), Numbers[int32](r, most)
	for i, s := range distinct {
		distinct[i] = unique.Make(s).Value() // shared with other lists, and none keeps the piece that it was read in
	}
	texts := make([]S, len(numbers))
	for i, n := range numbers {
		if n < 0 || int(n) >= len(distinct) {
			r.err = fmt.Errorf("name %d of %d: %w", n, len(distinct), upnext.ErrInvalid)
			return nil
		}
		texts[i] = distinct[n]
	}
	return texts
}

func (r *Reader) read(v any) {
	if r.err == nil {
		r.err = binary.Read(r, binary.LittleEndian, v)
	}
}

// Err is what has failed so far.
func (r *Reader) Err() error { return r.err }

// Close reads the checksum, and reports an error where it is not that of what was
// read, or where something failed before.
func (r *Reader) Close() error {
	want := r.sum.Sum32()
	var got uint32
	if r.err == nil {
		r.err = binary.Read(r.from, binary.LittleEndian, &got)
	}
	if r.err == nil && got != want {
		r.err = fmt.Errorf("checksum %08x, %08x is written: %w", want, got, upnext.ErrInvalid)
	}
	return r.err
}
