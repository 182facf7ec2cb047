package builtin

import (
	"fmt"

	"upnext/embed/builtin/internal/kernel"
)

// The picture encoder's shape.
const (
	side     = 224 // pixels a side
	lookDims = 1280
	endSide  = side / 32
)

// looks is EfficientNet-Lite0 without its classifier: a convolution, 16 blocks
// (widen, convolve each channel, narrow), a last widening and the mean over the
// picture. Pixels lie row by row, each with all its channels.
type looks struct {
	stem   *kernel.Floats
	blocks []lookBlock
	head   *kernel.Floats
	mean   []float32 // what the embedding is on average over photographs
}

// lookBlock adds its input to its output where both have the same shape.
type lookBlock struct {
	widen   *kernel.Floats // nil in the first block
	depth   *kernel.Depth
	narrow  *kernel.Floats
	stride  int
	residue bool
}

// readLooks reads a file as convert/effnet.py writes it.
func readLooks(s string) (*looks, error) {
	r := &reader{s: s}
	if magic := r.take(4); magic != "EFL1" {
		return nil, fmt.Errorf("picture encoder: not a weights file: it begins with %q", magic)
	}
	n := &looks{stem: readPointwise(r, 3, 2, 3, 32, true)}
	in := 32
	for _, stage := range []struct{ repeat, size, stride, widen, out int }{
		{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
		{3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320},
	} {
		for i := range stage.repeat {
			b := lookBlock{stride: stage.stride}
			if i > 0 {
				b.stride = 1
			}
			wide := in * stage.widen
			if stage.widen > 1 {
				b.widen = readPointwise(r, 1, 1, in, wide, true)
			}
			b.depth = readDepth(r, stage.size, b.stride, wide)
			b.narrow = readPointwise(r, 1, 1, wide, stage.out, false)
			b.residue = b.stride == 1 && in == stage.out
			n.blocks, in = append(n.blocks, b), stage.out
		}
	}
	n.head = readPointwise(r, 1, 1, in, lookDims, true)
	n.mean = make([]float32, lookDims)
	if mean := r.take(4 * lookDims); mean != "" {
		for i := range n.mean {
			n.mean[i] = f32(mean, i)
		}
	}
	if r.err == nil && r.at != len(s) {
		r.err = fmt.Errorf("%d bytes too many", len(s)-r.at)
	}
	if r.err != nil {
		return nil, fmt.Errorf("picture encoder: %w", r.err)
	}
	return n, nil
}

// readConvolution reads one that must have the given shape.
func readConvolution(r *reader, weights int, shape [6]int) (w, bias []float32) {
	for i, want := range shape {
		if got := int(r.u32()); r.err == nil && got != want {
			r.err = fmt.Errorf("at byte %d: value %d of a convolution's shape is %d, want %d", r.at-4, i, got, want)
		}
	}
	w, bias = make([]float32, weights), make([]float32, shape[4])
	if s := r.take(2 * len(w)); s != "" {
		for i := range w {
			w[i] = half(u16(s, i))
		}
	}
	if s := r.take(4 * len(bias)); s != "" {
		for i := range bias {
			bias[i] = f32(s, i)
		}
	}
	return w, bias
}

func readPointwise(r *reader, size, stride, in, out int, cut bool) *kernel.Floats {
	shape := [6]int{0, size, stride, in, out, 0}
	if cut {
		shape[5] = 1
	}
	w, bias := readConvolution(r, size*size*in*out, shape)
	m, err := kernel.NewFloats(size*size*in, out, w, bias)
	if r.err == nil {
		r.err = err
	}
	return m
}

func readDepth(r *reader, size, stride, channels int) *kernel.Depth {
	w, bias := readConvolution(r, size*size*channels, [6]int{1, size, stride, channels, channels, 1})
	m, err := kernel.NewDepth(size, channels, w, bias)
	if r.err == nil {
		r.err = err
	}
	return m
}

// lookScratch is what one run needs, some 10 MB.
type lookScratch struct {
	pixels           []float32 // side × side × RGB, (value − 127) / 128
	x, y, wide, deep []float32
}

func newLookScratch() *lookScratch {
	const stem = side / 2 * side / 2
	return &lookScratch{
		pixels: make([]float32, side*side*3),
		x:      make([]float32, stem*32),
		y:      make([]float32, stem*16),
		wide:   make([]float32, stem*96),
		deep:   make([]float32, stem/4*144),
	}
}

// run gives the network's embedding of s.pixels, as the original has it.
func (n *looks) run(s *lookScratch, level kernel.Level) []float32 {
	now := side / 2
	level.MulFloat(s.x, n.stem, gather(s.wide, s.pixels), now*now, kernel.Relu6)
	x, y := s.x, s.y
	for _, b := range n.blocks {
		wide := x
		if b.widen != nil {
			wide = s.wide
			level.MulFloat(wide, b.widen, x, now*now, kernel.Relu6)
		}
		level.Convolve(s.deep, b.depth, wide, now, b.stride)
		now = (now + b.stride - 1) / b.stride
		if b.residue { // onto the input itself
			level.MulFloat(x, b.narrow, s.deep, now*now, kernel.Add)
			continue
		}
		level.MulFloat(y, b.narrow, s.deep, now*now, 0)
		x, y = y, x
	}
	level.MulFloat(s.wide, n.head, x, now*now, kernel.Relu6)
	out := make([]float32, lookDims)
	for p := range now * now {
		plus(out, s.wide[p*lookDims:][:lookDims])
	}
	for i := range out {
		out[i] /= float32(now * now)
	}
	return out
}

// gather lays the 3 × 3 windows of the first convolution, which steps by two
// pixels, side by side: 27 values for each of its outputs.
func gather(out, pixels []float32) []float32 {
	const half, row = side / 2, 3 * 3
	for oy := range half {
		for ox := range half {
			window := out[(oy*half+ox)*27:][:27]
			for ky := range 3 {
				to := window[ky*row:][:row]
				y, x := 2*oy+ky, 2*ox
				if y == side {
					clear(to)
					continue
				}
				in := pixels[(y*side+x)*3 : min(y*side+x+3, (y+1)*side)*3]
				clear(to[copy(to, in):])
			}
		}
	}
	return out
}
