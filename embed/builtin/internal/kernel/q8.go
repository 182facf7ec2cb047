package kernel

import "fmt"

// Block is how many neighbouring values share one scale.
const Block = 32

const (
	panel    = 16        // outputs that lie beside one another in a Matrix
	tileRows = 4         // rows that one kernel call answers
	tileOuts = 2 * panel // outputs that one kernel call answers
)

// Matrix holds 8-bit weights, Out × In, with one scale per output and block of
// 32 inputs. It is constant once filled.
//
// Weights lie in panels of 16 outputs: within a panel, four neighbouring inputs
// of each of the 16 outputs make 64 bytes, one AVX-512 register. They are kept
// as weight + 128, the unsigned form that VPDPBUSD wants.
type Matrix struct {
	Out, In int
	w       []byte    // [Out/16][In/4][16][4]
	d       []float32 // [Out/16][In/32][16]
	bias    []float32
}

// NewMatrix makes an empty matrix. Out and In must be multiples of 32.
func NewMatrix(out, in int) (*Matrix, error) {
	if out <= 0 || in <= 0 || out%tileOuts != 0 || in%Block != 0 {
		return nil, fmt.Errorf("matrix %d × %d: both must be positive multiples of 32", out, in)
	}
	return &Matrix{
		Out: out, In: in,
		w:    make([]byte, out*in),
		d:    make([]float32, out*in/Block),
		bias: make([]float32, out),
	}, nil
}

// SetBlock sets the 32 weights of output o from input 32·b on, q[i]·scale each.
func (m *Matrix) SetBlock(o, b int, scale float32, q string) {
	at := o / panel
	lane := o % panel
	m.d[(at*(m.In/Block)+b)*panel+lane] = scale
	w := m.w[(at*m.In+b*Block)*panel:][:Block*panel]
	for i := 0; i < Block; i += 4 {
		four := w[i*panel+lane*4:][:4]
		four[0] = q[i] ^ 0x80
		four[1] = q[i+1] ^ 0x80
		four[2] = q[i+2] ^ 0x80
		four[3] = q[i+3] ^ 0x80
	}
}

// SetBias sets what is added to each output.
func (m *Matrix) SetBias(bias []float32) error {
	if len(bias) != m.Out {
		return fmt.Errorf("bias of %d values for %d outputs", len(bias), m.Out)
	}
	copy(m.bias, bias)
	return nil
}

// Rows are 8-bit activations: value = Q·D, with one D for each block of 32. S
// is −128 times the sum of each block, which takes the weights' offset away.
type Rows struct {
	Width int // values in a row, a multiple of 32
	Q     []int8
	D     []float32
	S     []int32
}

// Reset makes room for n rows of width values. What they hold is undefined.
func (r *Rows) Reset(n, width int) {
	r.Width = width
	r.Q = grow(r.Q, n*width)
	r.D = grow(r.D, n*width/Block)
	r.S = grow(r.S, n*width/Block)
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Quantize fills the rows from x, which has as many values as they. Each block
// is scaled so that its largest value is ±127; halves round to even.
func (l Level) Quantize(r *Rows, x []float32) {
	blocks := len(x) / Block
	if blocks == 0 {
		return
	}
	_, _, _ = r.Q[blocks*Block-1], r.D[blocks-1], r.S[blocks-1]
	if l == Plain {
		quantizePlain(r, x[:blocks*Block])
		return
	}
	quantizeFast(&x[0], &r.Q[0], &r.D[0], &r.S[0], blocks)
}

func quantizePlain(r *Rows, x []float32) {
	const even = 3 << 22 // adding it rounds a small float32 to a whole number, halves to even
	for b := range len(x) / Block {
		in, out := x[b*Block:][:Block], r.Q[b*Block:][:Block]
		var top float32
		for _, v := range in {
			top = max(top, v, -v)
		}
		var scale float32
		if top > 0 {
			scale = 127 / top
		}
		var sum int32
		for i, v := range in {
			q := int32(float32(v*scale)+even) - even
			out[i] = int8(q)
			sum += q
		}
		r.D[b] = top / 127
		r.S[b] = -128 * sum
	}
}

// Mul sets y[i] = m · row(from+i) + bias for n rows, y having n·m.Out values
// for n rounded up to a multiple of 4: it also writes those, and reads as many
// rows. m.In may be a multiple of r.Width: a row is then a window over its
// neighbours, which makes a convolution of it.
func (l Level) Mul(y []float32, m *Matrix, r *Rows, from, n int) {
	n = (n + tileRows - 1) / tileRows * tileRows
	if n == 0 {
		return
	}
	last := (from+n-1)*r.Width + m.In
	_, _, _ = r.Q[last-1], r.D[last/Block-1], r.S[last/Block-1]
	_ = y[n*m.Out-1]
	if l == Plain {
		mulPlain(y, m, r, from, n)
		return
	}
	// A pair of panels (some 16 kB) stays in the first cache while all rows pass.
	for out := 0; out < m.Out; out += tileOuts {
		for row := 0; row < n; row += tileRows {
			l.tile(y, m, r, out, from+row, row)
		}
	}
}

// tile answers 4 rows × 32 outputs.
func (l Level) tile(y []float32, m *Matrix, r *Rows, out, row, to int) {
	blocks, width := m.In/Block, r.Width/Block
	t := q8tile{
		a:       &r.Q[row*r.Width],
		ad:      &r.D[row*width],
		as:      &r.S[row*width],
		w:       &m.w[out*m.In],
		wd:      &m.d[out*blocks],
		y:       &y[to*m.Out+out],
		bias:    &m.bias[out],
		aStride: r.Width,
		dStride: width * 4,
		yStride: m.Out * 4,
		blocks:  blocks,
	}
	if l == AVX512 {
		mulAVX512(&t)
	} else {
		mulAVX2(&t)
	}
}

// mulPlain adds in the order of the assembly forms, so that all agree bit for bit.
//
// One 64-bit product serves two outputs: their weights lie in its two halves. All
// numbers are made positive by adding 128, so that the halves do not disturb one
// another, and what that adds is taken off per block:
//
//	Σ w·a = Σ (w+128)(a+128) − 128·Σ (w+128) − 128·Σ a
func mulPlain(y []float32, m *Matrix, r *Rows, from, n int) {
	const pairs = panel / 2
	blocks, width := m.In/Block, r.Width/Block
	clear(y[:n*m.Out])
	var w [Block][pairs]uint64 // output o in the low half, o + 8 in the high one
	var sums [panel]int32
	for out := 0; out < m.Out; out += panel {
		for b := range blocks {
			clear(sums[:])
			for k := range Block {
				at := m.w[(out*m.In+(b*Block+k/4*4)*panel)+k%4:]
				for o := range pairs {
					low, high := at[4*o], at[4*(o+pairs)]
					w[k][o] = uint64(low) | uint64(high)<<32
					sums[o] += int32(low)
					sums[o+pairs] += int32(high)
				}
			}
			scale := m.d[(out/panel*blocks+b)*panel:][:panel]
			for row := range n {
				dots := dotPairs(&w, r.Q[(from+row)*r.Width+b*Block:][:Block])
				d, s := r.D[(from+row)*width+b], r.S[(from+row)*width+b]
				to := y[row*m.Out+out:][:panel]
				for o, two := range dots {
					low, high := int32(uint32(two))-128*sums[o]+s, int32(two>>32)-128*sums[o+pairs]+s
					// The conversions forbid a fused multiply-add, which would round otherwise.
					to[o] += float32(float32(low) * float32(scale[o]*d))
					to[o+pairs] += float32(float32(high) * float32(scale[o+pairs]*d))
				}
			}
		}
	}
	for i := range y[:n*m.Out] {
		y[i] += m.bias[i%m.Out]
	}
}

// dotPairs keeps its sums in variables, which stay in registers.
func dotPairs(w *[Block][panel / 2]uint64, a []int8) [panel / 2]uint64 {
	var s0, s1, s2, s3, s4, s5, s6, s7 uint64
	for k, v := range a[:Block] {
		x, wk := uint64(uint8(v)^0x80), &w[k]
		s0 += wk[0] * x
		s1 += wk[1] * x
		s2 += wk[2] * x
		s3 += wk[3] * x
		s4 += wk[4] * x
		s5 += wk[5] * x
		s6 += wk[6] * x
		s7 += wk[7] * x
	}
	return [panel / 2]uint64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// q8tile is what the assembly reads; its offsets are written there.
type q8tile struct {
	a       *int8
	ad      *float32
	as      *int32
	w       *byte
	wd      *float32
	y       *float32
	bias    *float32
	aStride int // bytes from row to row
	dStride int // bytes from row to row in ad and as
	yStride int // bytes from row to row
	blocks  int
}
