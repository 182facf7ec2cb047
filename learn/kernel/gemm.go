package kernel

import (
	"sync"
	"unsafe"
)

// Matrix is a view of numbers: element (i, j) is V[i·Row + j·Col].
type Matrix struct {
	V        []float32
	Row, Col int
}

// Rows views v as rows that begin width numbers apart.
func Rows(v []float32, width int) Matrix { return Matrix{v, width, 1} }

// T is the transposed view; nothing is copied.
func (m Matrix) T() Matrix { return Matrix{m.V, m.Col, m.Row} }

// At is the view that begins at element (i, j).
func (m Matrix) At(i, j int) Matrix { return Matrix{m.V[i*m.Row+j*m.Col:], m.Row, m.Col} }

const (
	deep = 256 // steps of k a block: its strip of B stays in the first cache
	tall = 192 // rows a block: its part of A stays in the second cache

	// Rows of B a multiple of so many numbers apart fall on the same few lines
	// of a cache. A strip of them is copied together first, where enough rows of
	// A are to pass it. Other strides are as fast where they lie.
	aliased      = 256
	worthPacking = 36
)

// strips are the buffers for packing.
var strips = sync.Pool{New: func() any { return new([deep * 32]float32) }}

// Gemm sets C = A·B, or C += A·B where add is set: C is rows × columns, A rows
// × depth, B depth × columns. A may be any view, so that a transposed A costs
// no copy; B and C must have Col = 1. C must not overlap the others.
//
// Each element is summed in ascending order of depth, whichever tile it falls
// in: cutting a product by rows or columns changes no bit of it. Levels differ
// in the last bits, as Plain rounds between multiplying and adding.
func (l Level) Gemm(rows, columns, depth int, a, b, c Matrix, add bool) {
	if rows <= 0 || columns <= 0 {
		return
	}
	if b.Col != 1 || c.Col != 1 {
		panic("kernel: the columns of B and C must be adjacent")
	}
	_ = c.V[(rows-1)*c.Row+columns-1]
	if depth <= 0 {
		if !add {
			for i := range rows {
				clear(c.V[i*c.Row:][:columns])
			}
		}
		return
	}
	_ = a.V[(rows-1)*a.Row+(depth-1)*a.Col]
	_ = b.V[(depth-1)*b.Row+columns-1]
	if l == Plain {
		gemmPlain(rows, columns, depth, a, b, c, add)
		return
	}
	for k := 0; k < depth; k += deep {
		for i := 0; i < rows; i += tall {
			l.block(min(tall, rows-i), columns, min(deep, depth-k), a.At(i, k), b.At(k, 0), c.At(i, 0), add || k > 0)
		}
	}
}

// tile is what the assembly reads; the strides are in bytes.
type tile struct {
	a, b, c  unsafe.Pointer
	low, top *int32 // AVX2's masks of the first and the last 8 columns
	columns  uint64 // AVX-512's mask, one bit a column
	depth    int
	rs, ks   int // A's
	ldb, ldc int
	add      int
}

// lanes holds every mask of 8 lanes: that of n begins at 8-n.
var lanes = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// block answers one block of A, strip of columns by strip.
func (l Level) block(rows, columns, depth int, a, b, c Matrix, add bool) {
	wide := 16
	if l == AVX512 {
		wide = 32
	}
	t := tile{depth: depth, rs: a.Row * 4, ks: a.Col * 4, ldb: b.Row * 4, ldc: c.Row * 4}
	if add {
		t.add = 1
	}
	var strip *[deep * 32]float32
	if rows >= worthPacking && b.Row%aliased == 0 {
		strip = strips.Get().(*[deep * 32]float32)
		defer strips.Put(strip)
		t.ldb = wide * 4
	}
	j := 0
	if l == AVX2 && rows == 1 {
		for ; j+64 <= columns; j += 64 {
			t.a, t.b, t.c = unsafe.Pointer(&a.V[0]), unsafe.Pointer(&b.V[j]), unsafe.Pointer(&c.V[j])
			tile1x64(&t)
		}
	}
	for ; j < columns; j += wide {
		n := min(wide, columns-j)
		t.columns = 1<<n - 1
		t.low, t.top = &lanes[8-min(n, 8)], &lanes[8-min(max(n-8, 0), 8)]
		t.a, t.b, t.c = unsafe.Pointer(&a.V[0]), unsafe.Pointer(&b.V[j]), unsafe.Pointer(&c.V[j])
		if strip != nil {
			for k := range depth {
				copy(strip[k*wide:][:n], b.V[k*b.Row+j:])
			}
			t.b = unsafe.Pointer(strip)
		}
		for i := rows; i > 0; {
			var done int
			if l == AVX512 {
				done = strip512(&t, i)
			} else {
				done = strip256(&t, i, n == wide)
			}
			if i -= done; i > 0 {
				t.a, t.c = unsafe.Add(t.a, done*t.rs), unsafe.Add(t.c, done*t.ldc)
			}
		}
	}
}

// strip512 answers the next of rows rows and says how many they were.
func strip512(t *tile, rows int) int {
	switch {
	case rows >= 12:
		tile12x32(t)
		return 12
	case rows >= 8:
		tile8x32(t)
		return 8
	case rows >= 4:
		tile4x32(t)
		return 4
	case rows >= 2:
		tile2x32(t)
		return 2
	}
	tile1x32(t)
	return 1
}

func strip256(t *tile, rows int, full bool) int {
	switch {
	case rows >= 6 && full:
		tile6x16(t)
		return 6
	case rows >= 6:
		tile6x16masked(t)
		return 6
	case rows >= 4:
		tile4x16masked(t)
		return 4
	case rows >= 2:
		tile2x16masked(t)
		return 2
	}
	tile1x16masked(t)
	return 1
}

// gemmPlain takes 2 rows × 4 columns at a time: their sums stay in registers.
func gemmPlain(rows, columns, depth int, a, b, c Matrix, add bool) {
	for i := 0; i < rows; i += 2 {
		second := min(i+1, rows-1) // of an odd last row twice the same
		a0, a1 := a.V[i*a.Row:], a.V[second*a.Row:]
		c0, c1 := c.V[i*c.Row:][:columns], c.V[second*c.Row:][:columns]
		j := 0
		for ; j+4 <= columns; j += 4 {
			var s, t [4]float32
			if add {
				s, t = [4]float32(c0[j:]), [4]float32(c1[j:])
			}
			s0, s1, s2, s3, t0, t1, t2, t3 := s[0], s[1], s[2], s[3], t[0], t[1], t[2], t[3]
			for k := range depth {
				v, u, w := a0[k*a.Col], a1[k*a.Col], (*[4]float32)(b.V[k*b.Row+j:])
				s0 += v * w[0]
				s1 += v * w[1]
				s2 += v * w[2]
				s3 += v * w[3]
				t0 += u * w[0]
				t1 += u * w[1]
				t2 += u * w[2]
				t3 += u * w[3]
			}
			*(*[4]float32)(c0[j:]) = [4]float32{s0, s1, s2, s3}
			*(*[4]float32)(c1[j:]) = [4]float32{t0, t1, t2, t3}
		}
		for ; j < columns; j++ {
			var s, t float32
			if add {
				s, t = c0[j], c1[j]
			}
			for k := range depth {
				w := b.V[k*b.Row+j]
				s += a0[k*a.Col] * w
				t += a1[k*a.Col] * w
			}
			c0[j], c1[j] = s, t
		}
	}
}
