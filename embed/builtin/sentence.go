package builtin

import (
	"fmt"
	"math"

	"upnext/embed/builtin/internal/kernel"
)

// The sentence encoder's shape.
const (
	maxPieces = 512 // read of a text, begin and end included
	wide      = 512 // values of a piece's vector, and of the answer
	narrow    = 256 // values of a branch
	branches  = 3
	features  = wide + branches*narrow
	gap       = 2 // rows of zeros around each text, as far as a window looks
	tableRow  = wide / kernel.Block * (2 + kernel.Block/2)
)

// sentence is the Universal Sentence Encoder: pieces' vectors, three branches
// of two convolutions each (over 2, 3 and 5 pieces), the mean over all pieces
// and a small residual network.
type sentence struct {
	tokens *tokenizer
	table  string // 4-bit vectors of the pieces, where they lie in the file
	branch [branches]branch

	scale, shift           []float32 // of the layer norm over all features
	pool                   *kernel.Matrix
	d0, d1, p1, d2, p3, d3 *kernel.Matrix
	eps                    float32
}

// branch projects the pieces' vectors and runs two convolutions over them.
type branch struct {
	project, first, second *kernel.Matrix
	scale, shift           []float32 // of the layer norm after the projection
	left                   int       // how far the window looks back
}

// readSentence reads the weights file; table and pieces stay in s.
func readSentence(s string) (*sentence, error) {
	r := &reader{s: s}
	if magic := r.take(4); magic != "USE1" {
		return nil, fmt.Errorf("sentence encoder: not a weights file: it begins with %q", magic)
	}
	tokens, err := readTokenizer(r)
	if err != nil {
		return nil, fmt.Errorf("sentence encoder: %w", err)
	}
	if bits := r.u32(); bits != 4 && r.err == nil {
		return nil, fmt.Errorf("sentence encoder: a table of %d bits, want 4", bits)
	}
	n := &sentence{tokens: tokens, table: r.take(tokens.n * tableRow)}
	for i, window := range [branches]struct{ pieces, left int }{{2, 0}, {3, 1}, {5, 2}} {
		b := &n.branch[i]
		b.left = window.left
		b.project = readBiased(r, narrow, wide)
		b.scale, b.shift = readVector(r, narrow), readVector(r, narrow)
		b.first = readBiased(r, narrow, window.pieces*narrow)
		b.second = readBiased(r, narrow, window.pieces*narrow)
	}
	n.scale, n.shift = readVector(r, features), readVector(r, features)
	n.pool = readBiased(r, wide, features)
	n.d0, n.d1, n.p1 = readMatrix(r, 320, wide), readMatrix(r, 320, 320), readMatrix(r, 320, wide)
	n.d2, n.p3, n.d3 = readMatrix(r, wide, 320), readMatrix(r, wide, 320), readMatrix(r, wide, wide)
	if eps := readVector(r, 1); eps != nil {
		n.eps = eps[0]
	}
	if r.err == nil && r.at != len(s) {
		r.err = fmt.Errorf("%d bytes too many", len(s)-r.at)
	}
	if r.err != nil {
		return nil, fmt.Errorf("sentence encoder: %w", r.err)
	}
	return n, nil
}

// readMatrix reads a matrix that must have the given shape.
func readMatrix(r *reader, out, in int) *kernel.Matrix {
	if gotOut, gotIn := int(r.u32()), int(r.u32()); r.err == nil && (gotOut != out || gotIn != in) {
		r.err = fmt.Errorf("at byte %d: a matrix of %d × %d, want %d × %d", r.at, gotOut, gotIn, out, in)
	}
	const size = 2 + kernel.Block
	blocks := r.take(out * in / kernel.Block * size)
	if r.err != nil {
		return nil
	}
	m, err := kernel.NewMatrix(out, in)
	if err != nil {
		r.err = err
		return nil
	}
	for o := range out {
		for b := range in / kernel.Block {
			m.SetBlock(o, b, half(u16(blocks, 0)), blocks[2:size])
			blocks = blocks[size:]
		}
	}
	return m
}

// readBiased reads a matrix and its bias.
func readBiased(r *reader, out, in int) *kernel.Matrix {
	m, bias := readMatrix(r, out, in), readVector(r, out)
	if r.err == nil {
		r.err = m.SetBias(bias)
	}
	return m
}

// readVector reads a vector that must have n values.
func readVector(r *reader, n int) []float32 {
	at := r.at
	v := r.floats()
	if r.err == nil && len(v) != n {
		r.err = fmt.Errorf("at byte %d: a vector of %d values, want %d", at, len(v), n)
	}
	if r.err != nil {
		return nil
	}
	return v
}

// stack is the scratch for a few texts that go through the network together:
// their pieces lie below one another with rows of zeros between, so that one
// product serves them all and a window never sees a neighbour. Every row is
// computed on its own: a text's vector does not depend on its stack.
type stack struct {
	ids   []int32 // all texts' pieces
	spans []span  // one per text
	used  int     // rows, gaps included

	in, x, h, y, all []float32
	q                kernel.Rows
}

// span is where a text lies in a stack.
type span struct{ row, n int }

func (s *stack) reset() {
	s.ids, s.spans, s.used = s.ids[:0], s.spans[:0], gap
}

// push adds one text's pieces, which were appended to s.ids from position first on.
func (s *stack) push(first int) {
	s.spans = append(s.spans, span{s.used, len(s.ids) - first})
	s.used += len(s.ids) - first + gap
}

// run gives one unit vector for each text of the stack.
func (n *sentence) run(s *stack, level kernel.Level) [][]float32 {
	rows := (s.used-2*gap+3)/4*4 + 2*gap // products come in fours
	s.in = zeros(s.in, rows*wide)
	s.x, s.h = zeros(s.x, rows*narrow), zeros(s.h, rows*narrow)
	s.y = zeros(s.y, rows*narrow)
	s.all = zeros(s.all, rows*features)
	work := rows - 2*gap

	id := 0
	for _, sp := range s.spans {
		for row := sp.row; row < sp.row+sp.n; row++ {
			n.lookUp(s.in[row*wide:][:wide], int(s.ids[id]))
			copy(s.all[row*features:], s.in[row*wide:][:wide])
			id++
		}
	}
	for i := range n.branch {
		b := &n.branch[i]
		s.q.Reset(rows, wide)
		level.Quantize(&s.q, s.in)
		level.Mul(s.x[gap*narrow:], b.project, &s.q, gap, work)
		s.each(narrow, s.x, func(row []float32, _ int) { level.Normalize(row, b.scale, b.shift, n.eps) })
		n.convolve(s, level, b.first, b.left, s.x, s.h)
		n.convolve(s, level, b.second, b.left, s.h, s.x)
		s.each(narrow, s.x, func(row []float32, at int) {
			copy(s.all[at*features+wide+i*narrow:], row)
		})
	}
	return n.finish(s, level)
}

// each calls do with every row of x that holds a piece and clears the others,
// into which a product may have written.
func (s *stack) each(width int, x []float32, do func(row []float32, at int)) {
	next := 0
	for _, sp := range s.spans {
		clear(x[next*width : sp.row*width])
		for at := sp.row; at < sp.row+sp.n; at++ {
			do(x[at*width:][:width], at)
		}
		next = sp.row + sp.n
	}
	clear(x[next*width:])
}

// convolve sets out = max(0, w·window(in)) + in, row by row.
func (n *sentence) convolve(s *stack, level kernel.Level, w *kernel.Matrix, left int, in, out []float32) {
	rows := len(in) / narrow
	s.q.Reset(rows, narrow)
	level.Quantize(&s.q, in)
	level.Mul(out[gap*narrow:], w, &s.q, gap-left, rows-2*gap)
	s.each(narrow, out, func(row []float32, at int) {
		for i, v := range in[at*narrow:][:narrow] {
			row[i] = max(row[i], 0) + v
		}
	})
}

// finish takes the mean over each text's pieces and runs the last layers on all
// texts at once.
func (n *sentence) finish(s *stack, level kernel.Level) [][]float32 {
	texts := (len(s.spans) + 3) / 4 * 4
	mean := make([]float32, texts*features)
	for i, sp := range s.spans {
		sum := mean[i*features:][:features]
		for row := sp.row; row < sp.row+sp.n; row++ {
			all := s.all[row*features:][:features]
			level.Normalize(all, n.scale, n.shift, n.eps)
			for k, v := range all {
				sum[k] += v
			}
		}
		for k := range sum {
			sum[k] /= float32(sp.n)
		}
	}
	mul := func(m *kernel.Matrix, x []float32) []float32 {
		s.q.Reset(texts, m.In)
		level.Quantize(&s.q, x)
		y := make([]float32, texts*m.Out)
		level.Mul(y, m, &s.q, 0, texts)
		return y
	}
	pooled := mul(n.pool, mean)
	for i, sp := range s.spans {
		root := float32(math.Sqrt(float64(sp.n)))
		for k := range pooled[i*wide:][:wide] {
			pooled[i*wide+k] *= root
		}
	}
	y1 := relu(plus(mul(n.p1, pooled), mul(n.d1, relu(mul(n.d0, pooled)))))
	last := plus(mul(n.p3, y1), mul(n.d3, relu(mul(n.d2, y1))))
	out := make([][]float32, len(s.spans))
	for i := range out {
		out[i] = last[i*wide:][:wide:wide]
		for k, v := range out[i] {
			out[i][k] = float32(math.Tanh(float64(v)))
		}
		unit(out[i])
	}
	return out
}

// lookUp widens a piece's vector: 16 blocks of a scale and 32 values of 4 bits,
// the first 16 in the low halves.
func (n *sentence) lookUp(out []float32, id int) {
	row := n.table[id*tableRow:][:tableRow]
	for len(out) >= kernel.Block {
		scale := half(u16(row, 0))
		for i := range kernel.Block / 2 {
			b := row[2+i]
			out[i] = float32(int(b&15)-8) * scale
			out[i+kernel.Block/2] = float32(int(b>>4)-8) * scale
		}
		out, row = out[kernel.Block:], row[2+kernel.Block/2:]
	}
}
