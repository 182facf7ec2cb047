package builtin

import (
	"fmt"
	"math"
)

// reader walks a weights file that lies in a string and is never copied. After
// the first read beyond the end every read gives zeros, and err says where.
type reader struct {
	s   string
	at  int
	err error
}

// take gives the next n bytes, or an empty string beyond the end.
func (r *reader) take(n int) string {
	if r.err == nil && (n < 0 || n > len(r.s)-r.at) {
		r.err = fmt.Errorf("at byte %d: %d bytes wanted, %d left", r.at, n, len(r.s)-r.at)
	}
	if r.err != nil {
		return ""
	}
	r.at += n
	return r.s[r.at-n : r.at]
}

func (r *reader) u32() uint32 {
	if s := r.take(4); s != "" {
		return u32(s, 0)
	}
	return 0
}

// count reads a number of things that are at least size bytes each, so that a
// wrong number is an error and not a huge allocation.
func (r *reader) count(size int) int {
	n := int(int32(r.u32()))
	if r.err == nil && (n < 0 || n > (len(r.s)-r.at)/max(size, 1)) {
		r.err = fmt.Errorf("at byte %d: a count of %d in the %d bytes left", r.at-4, n, len(r.s)-r.at)
	}
	if r.err != nil {
		return 0
	}
	return n
}

// floats reads a count and as many float32.
func (r *reader) floats() []float32 {
	out := make([]float32, r.count(4))
	s := r.take(4 * len(out))
	if s == "" {
		return nil
	}
	for i := range out {
		out[i] = f32(s, i)
	}
	return out
}

// u16 reads the i-th little-endian uint16 of s.
func u16(s string, i int) uint16 {
	_ = s[2*i+1]
	return uint16(s[2*i]) | uint16(s[2*i+1])<<8
}

// u32 reads the i-th little-endian uint32 of s.
func u32(s string, i int) uint32 {
	_ = s[4*i+3]
	return uint32(s[4*i]) | uint32(s[4*i+1])<<8 | uint32(s[4*i+2])<<16 | uint32(s[4*i+3])<<24
}

// f32 reads the i-th little-endian float32 of s.
func f32(s string, i int) float32 { return math.Float32frombits(u32(s, i)) }

// half widens an IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10)&31, uint32(h&1023)
	switch exp {
	case 0: // zero and subnormal: frac · 2⁻²⁴
		f := float32(frac) / (1 << 24)
		if sign != 0 {
			f = -f
		}
		return f
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
