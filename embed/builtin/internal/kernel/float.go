package kernel

import "fmt"

const floatPanel = 24 // outputs that lie beside one another in a Floats

// Op says what else a float product does with its outputs.
type Op int

// The operations; they may be joined.
const (
	Relu6 Op = 1 << iota // cut the outputs to 0 … 6
	Add                  // add them to what is there, before it is cut
)

// Floats holds float32 weights in panels of 24 outputs: within a panel, the 24
// weights of one input lie together. It is constant once made.
type Floats struct {
	In, Out int
	w       []float32 // [⌈Out/24⌉][In][24]
	bias    []float32 // [⌈Out/24⌉·24]
}

// NewFloats packs w, [in][out], and the bias of each output.
func NewFloats(in, out int, w, bias []float32) (*Floats, error) {
	if in <= 0 || out <= 0 || len(w) != in*out || len(bias) != out {
		return nil, fmt.Errorf("weights %d × %d: %d values and %d of bias", in, out, len(w), len(bias))
	}
	panels := (out + floatPanel - 1) / floatPanel
	m := &Floats{In: in, Out: out, w: make([]float32, panels*in*floatPanel), bias: make([]float32, panels*floatPanel)}
	copy(m.bias, bias)
	for p := range panels {
		for i := range in {
			copy(m.w[(p*in+i)*floatPanel:][:floatPanel], w[i*out+p*floatPanel:(i+1)*out])
		}
	}
	return m, nil
}

// MulFloat sets y[i] = op(x[i]·m + bias) for n rows, each of m.In and m.Out
// values. n is rounded up to a multiple of 4: that many rows are read and written.
func (l Level) MulFloat(y []float32, m *Floats, x []float32, n int, op Op) {
	n = (n + tileRows - 1) / tileRows * tileRows
	if n == 0 {
		return
	}
	_, _ = x[n*m.In-1], y[n*m.Out-1]
	var edge [tileRows * floatPanel]float32
	for p := 0; p < len(m.bias); p += floatPanel {
		outs := min(floatPanel, m.Out-p)
		for row := 0; row < n; row += tileRows {
			t := floatTile{
				x: &x[row*m.In], w: &m.w[p*m.In], bias: &m.bias[p], y: &y[row*m.Out+p],
				in: m.In, yStride: m.Out * 4, op: op,
			}
			if outs < floatPanel { // the last panel is not full: by way of a full one
				t.y, t.yStride = &edge[0], floatPanel*4
				if op&Add != 0 {
					for i := range tileRows {
						copy(edge[i*floatPanel:][:outs], y[(row+i)*m.Out+p:])
					}
				}
			}
			if l == Plain {
				out, stride := y[row*m.Out+p:], m.Out
				if outs < floatPanel {
					out, stride = edge[:], floatPanel
				}
				floatPlain(out, stride, m.w[p*m.In:], m.bias[p:], x[row*m.In:], m.In, op)
			} else {
				floatAVX2(&t)
			}
			if outs < floatPanel {
				for i := range tileRows {
					copy(y[(row+i)*m.Out+p:][:outs], edge[i*floatPanel:])
				}
			}
		}
	}
}

// floatTile is what the assembly reads: 4 rows × 24 outputs.
type floatTile struct {
	x, w, bias, y *float32
	in            int
	yStride       int // bytes from row to row
	op            Op
}

// floatPlain takes 2 rows × 4 outputs at a time: their sums stay in registers.
func floatPlain(y []float32, yStride int, w, bias, x []float32, in int, op Op) {
	w = w[:in*floatPanel]
	for row := 0; row < tileRows; row += 2 {
		x0, x1 := x[row*in:][:in], x[(row+1)*in:][:in]
		for o := 0; o < floatPanel; o += 4 {
			s, out0, out1 := bias[o:o+4], y[row*yStride+o:][:4], y[(row+1)*yStride+o:][:4]
			a0, a1, a2, a3 := s[0], s[1], s[2], s[3]
			b0, b1, b2, b3 := a0, a1, a2, a3
			if op&Add != 0 {
				a0, a1, a2, a3 = a0+out0[0], a1+out0[1], a2+out0[2], a3+out0[3]
				b0, b1, b2, b3 = b0+out1[0], b1+out1[1], b2+out1[2], b3+out1[3]
			}
			for i, v := range x0 {
				wi, u := (*[4]float32)(w[i*floatPanel+o:]), x1[i]
				a0 += v * wi[0]
				a1 += v * wi[1]
				a2 += v * wi[2]
				a3 += v * wi[3]
				b0 += u * wi[0]
				b1 += u * wi[1]
				b2 += u * wi[2]
				b3 += u * wi[3]
			}
			out0[0], out0[1], out0[2], out0[3] = a0, a1, a2, a3
			out1[0], out1[1], out1[2], out1[3] = b0, b1, b2, b3
			if op&Relu6 != 0 {
				cut6(out0)
				cut6(out1)
			}
		}
	}
}

func cut6(v []float32) {
	for i, x := range v {
		v[i] = min(max(x, 0), 6)
	}
}

// Depth holds the weights of a depthwise convolution: each channel is convolved
// with a Size × Size window of its own.
type Depth struct {
	Size, Channels int
	w              []float32 // [Size][Size][Channels]
	bias           []float32
}

// NewDepth keeps w, [size][size][channels], and the bias of each channel. The
// channels must be a multiple of 16.
func NewDepth(size, channels int, w, bias []float32) (*Depth, error) {
	if size <= 0 || channels <= 0 || channels%16 != 0 || len(w) != size*size*channels || len(bias) != channels {
		return nil, fmt.Errorf("depthwise %d × %d of %d channels: %d values and %d of bias", size, size, channels, len(w), len(bias))
	}
	return &Depth{size, channels, w, bias}, nil
}

// Convolve writes the convolution, cut to 0 … 6, of a picture x of side × side
// pixels to y, which has ⌈side/stride⌉ pixels a side. What lies outside x is 0;
// of an odd margin the smaller half lies above and left of it (TensorFlow's SAME).
func (l Level) Convolve(y []float32, m *Depth, x []float32, side, stride int) {
	outSide := (side + stride - 1) / stride
	before := max((outSide-1)*stride+m.Size-side, 0) / 2
	c := m.Channels
	_, _ = x[side*side*c-1], y[outSide*outSide*c-1]
	for oy := range outSide {
		y0, y1 := taps(oy*stride-before, m.Size, side)
		for ox := range outSide {
			x0, x1 := taps(ox*stride-before, m.Size, side)
			t := depthTile{
				x:    &x[((oy*stride-before+y0)*side+ox*stride-before+x0)*c],
				w:    &m.w[(y0*m.Size+x0)*c],
				bias: &m.bias[0],
				y:    &y[(oy*outSide+ox)*c],
				rows: y1 - y0, columns: x1 - x0, pixel: c * 4,
				xSkip: (side - (x1 - x0)) * c * 4, wSkip: (m.Size - (x1 - x0)) * c * 4,
			}
			if l == Plain {
				depthPlain(y[(oy*outSide+ox)*c:][:c], m, x, side, oy*stride-before, ox*stride-before, y0, y1, x0, x1)
			} else {
				depthAVX2(&t)
			}
		}
	}
}

// taps says which of size taps from at on lie in a line of side pixels.
func taps(at, size, side int) (from, to int) {
	return max(0, -at), min(size, side-at)
}

// depthTile is what the assembly reads: one pixel with all its channels.
type depthTile struct {
	x, w, bias, y *float32
	rows, columns int // of the window, as far as it lies in the picture
	pixel         int // bytes of a pixel
	xSkip, wSkip  int // bytes from the end of a window's row to its next row
}

func depthPlain(out []float32, m *Depth, x []float32, side, top, left, y0, y1, x0, x1 int) {
	c := m.Channels
	copy(out, m.bias)
	for ky := y0; ky < y1; ky++ {
		for kx := x0; kx < x1; kx++ {
			in, w := x[((top+ky)*side+left+kx)*c:][:c], m.w[(ky*m.Size+kx)*c:][:c]
			for i := range out {
				out[i] += in[i] * w[i]
			}
		}
	}
	cut6(out)
}
