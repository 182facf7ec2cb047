package artefact

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"upnext"
)

const (
	longestHeader = 16 << 20 // bytes of JSON
	piece         = 64 << 10 // bytes read at a time: a header that lies costs no memory
)

// entry is a tensor in the header: type, shape, first byte and the one behind
// the last, from the header's end.
type entry struct {
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	Bytes [2]int `json:"data_offsets"`
}

// Write stores an artefact: the header's length in 8 bytes, the header as JSON,
// the numbers in little-endian order, tensors by name. Equal artefacts give
// equal bytes.
func (a Artefact) Write(w io.Writer) error {
	header := map[string]any{"__metadata__": a.metadata()}
	names, at := slices.Sorted(maps.Keys(a.Tensors)), 0
	for _, name := range names {
		t := a.Tensors[name]
		dtype, width := t.dtype()
		if n := len(t.F32) + len(t.I32) + len(t.I8); n != size(t.Shape) {
			return fmt.Errorf("tensor %s of shape %v has %d numbers: %w", name, t.Shape, n, upnext.ErrInvalid)
		}
		bytes := size(t.Shape) * width
		header[name] = entry{dtype, t.Shape, [2]int{at, at + bytes}}
		at += bytes
	}
	head, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	out := bufio.NewWriter(w)
	_ = binary.Write(out, binary.LittleEndian, uint64(len(head))) // errors stay with out until Flush
	_, _ = out.Write(head)
	for _, name := range names {
		switch t := a.Tensors[name]; {
		case t.F32 != nil:
			_ = binary.Write(out, binary.LittleEndian, t.F32)
		case t.I32 != nil:
			_ = binary.Write(out, binary.LittleEndian, t.I32)
		default:
			_ = binary.Write(out, binary.LittleEndian, t.I8)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write artefact %s: %w", a.Kind, err)
	}
	return nil
}

func (a Artefact) metadata() map[string]string {
	m := maps.Clone(a.Settings)
	if m == nil {
		m = map[string]string{}
	}
	m["kind"], m["version"] = a.Kind, strconv.Itoa(a.Version)
	return m
}

func (t Tensor) dtype() (name string, width int) {
	switch {
	case t.F32 != nil:
		return "F32", 4
	case t.I32 != nil:
		return "I32", 4
	}
	return "I8", 1
}

// Read reads what Write stored, or what a safetensors library wrote with the
// same metadata. What is cut short, overlaps or lies is ErrInvalid.
func Read(r io.Reader) (Artefact, error) {
	a, err := read(bufio.NewReader(r))
	if err != nil {
		return Artefact{}, fmt.Errorf("read artefact: %w", err)
	}
	return a, nil
}

func read(r io.Reader) (Artefact, error) {
	var length uint64
	if err := binary.Read(r, binary.LittleEndian, &length); err != nil {
		return Artefact{}, fmt.Errorf("no header: %w: %w", upnext.ErrInvalid, err)
	}
	if length > longestHeader {
		return Artefact{}, fmt.Errorf("a header of %d bytes: %w", length, upnext.ErrInvalid)
	}
	head, err := take(r, int(length))
	if err != nil {
		return Artefact{}, fmt.Errorf("header: %w", err)
	}
	parts := map[string]json.RawMessage{}
	if err := json.Unmarshal(head, &parts); err != nil {
		return Artefact{}, fmt.Errorf("header: %w: %w", upnext.ErrInvalid, err)
	}
	a := Artefact{Settings: map[string]string{}, Tensors: map[string]Tensor{}}
	if err := json.Unmarshal(parts["__metadata__"], &a.Settings); err != nil {
		return Artefact{}, fmt.Errorf("metadata: %w: %w", upnext.ErrInvalid, err)
	}
	delete(parts, "__metadata__")
	a.Kind = a.Settings["kind"]
	if a.Version, err = a.Int("version"); err != nil {
		return Artefact{}, err
	}
	delete(a.Settings, "kind")
	delete(a.Settings, "version")
	entries := make(map[string]entry, len(parts))
	for name, raw := range parts {
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return Artefact{}, fmt.Errorf("tensor %s: %w: %w", name, upnext.ErrInvalid, err)
		}
		entries[name] = e
	}
	order := slices.SortedFunc(maps.Keys(entries), func(x, y string) int { return entries[x].Bytes[0] - entries[y].Bytes[0] })
	at := 0
	for _, name := range order {
		e := entries[name]
		if e.Bytes[0] != at {
			return Artefact{}, fmt.Errorf("tensor %s begins at byte %d, not %d: %w", name, e.Bytes[0], at, upnext.ErrInvalid)
		}
		if a.Tensors[name], err = e.read(r); err != nil {
			return Artefact{}, fmt.Errorf("tensor %s: %w", name, err)
		}
		at = e.Bytes[1]
	}
	return a, nil
}

// read reads the numbers of one tensor.
func (e entry) read(r io.Reader) (Tensor, error) {
	width, ok := map[string]int{"F32": 4, "I32": 4, "I8": 1}[e.DType]
	if !ok {
		return Tensor{}, fmt.Errorf("type %q; there are F32, I32 and I8: %w", e.DType, upnext.ErrInvalid)
	}
	n := 1
	for _, side := range e.Shape {
		if side < 0 || side > 0 && n > math.MaxInt32/side {
			return Tensor{}, fmt.Errorf("shape %v: %w", e.Shape, upnext.ErrInvalid)
		}
		n *= side
	}
	if e.Bytes[1]-e.Bytes[0] != n*width {
		return Tensor{}, fmt.Errorf("shape %v in %d bytes: %w", e.Shape, e.Bytes[1]-e.Bytes[0], upnext.ErrInvalid)
	}
	raw, err := take(r, n*width)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Shape: e.Shape}
	switch e.DType {
	case "F32":
		t.F32 = make([]float32, n)
		for i := range t.F32 {
			t.F32[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case "I32":
		t.I32 = make([]int32, n)
		for i := range t.I32 {
			t.I32[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	default:
		t.I8 = make([]int8, n)
		for i, b := range raw {
			t.I8[i] = int8(b)
		}
	}
	return t, nil
}

// take reads n bytes, growing with what comes.
func take(r io.Reader, n int) ([]byte, error) {
	var got []byte
	for len(got) < n {
		from := len(got)
		got = slices.Grow(got, min(n-from, max(piece, from)))[:from+min(n-from, max(piece, from))]
		if m, err := io.ReadFull(r, got[from:]); err != nil {
			return nil, fmt.Errorf("cut off after %d of %d bytes: %w: %w", from+m, n, upnext.ErrInvalid, err)
		}
	}
	return got, nil
}
