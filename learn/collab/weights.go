package collab

import (
	"fmt"
	"math"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/kernel"
)

// Storage says how a model's weights are kept once they are learned. The zero
// value keeps them as they are.
type Storage struct {
	Keep  int  // weights a row, on average, those of the largest size; 0: all
	Bytes bool // 8 bits a weight, with a factor a row
}

// weights is a matrix of rows × columns in one of four forms: dense or sparse,
// of floats or of bytes.
type weights struct {
	rows, columns int

	// Dense where start is nil: all columns of row 0, of row 1, ….
	// Sparse otherwise: row i is from start[i] to start[i+1], columns rising.
	start, column []int32

	value []float32 // floats, or
	code  []int8    // bytes: code · scale[row]
	scale []float32
}

// add adds k times a row to out.
func (w *weights) add(out []float32, row int, k float32) {
	from, to := row*w.columns, (row+1)*w.columns
	if w.start != nil {
		from, to = int(w.start[row]), int(w.start[row+1])
	}
	if w.code != nil {
		k *= w.scale[row]
	}
	switch {
	case w.start == nil && w.code == nil:
		kernel.Best().Axpy(out, k, w.value[from:to])
	case w.start == nil:
		for j, v := range w.code[from:to] {
			out[j] += k * float32(v)
		}
	case w.code == nil:
		values := w.value[from:to]
		for i, c := range w.column[from:to] {
			out[c] += k * values[i]
		}
	default:
		codes := w.code[from:to]
		for i, c := range w.column[from:to] {
			out[c] += k * float32(codes[i])
		}
	}
}

// stored is dense weights of floats in the form that s asks for.
func (w *weights) stored(s Storage) *weights {
	if s.Keep > 0 && s.Keep < w.columns && w.start == nil {
		w = w.pruned(s.Keep * w.rows)
	}
	if s.Bytes && w.code == nil {
		w = w.quantised()
	}
	return w
}

// pruned keeps the n weights of the largest size, or fewer: those of one size
// with the first that is dropped, to 16 bits, are dropped with it.
func (w *weights) pruned(n int) *weights {
	// Floats of one sign are ordered as their bits are.
	size := func(v float32) int { return int(math.Float32bits(v) &^ (1 << 31) >> 15) }
	counts := make([]int, 1<<16)
	for _, v := range w.value {
		counts[size(v)]++
	}
	least := len(counts)
	for sum := 0; least > 1 && sum+counts[least-1] <= n; {
		least--
		sum += counts[least]
	}
	p := &weights{rows: w.rows, columns: w.columns, start: make([]int32, 1, w.rows+1)}
	for row := range w.rows {
		for c, v := range w.value[row*w.columns : (row+1)*w.columns] {
			if size(v) >= least {
				p.column, p.value = append(p.column, int32(c)), append(p.value, v)
			}
		}
		p.start = append(p.start, int32(len(p.column)))
	}
	return p
}

// InBytes is a model whose weights are sparse floats with 8 bits a weight; any other
// one as it is: dense weights are places (Places), which must be whole.
func InBytes(m learn.Model) learn.Model {
	l, ok := m.(*linear)
	if !ok || l.weights.start == nil || l.weights.code != nil {
		return m
	}
	return &linear{l.kind, l.asker, l.weights.quantised()}
}

// quantised rounds each row to multiples of 1/127 of its largest weight.
func (w *weights) quantised() *weights {
	q := &weights{rows: w.rows, columns: w.columns, start: w.start, column: w.column, code: make([]int8, len(w.value)), scale: make([]float32, w.rows)}
	for row := range w.rows {
		from, to := row*w.columns, (row+1)*w.columns
		if w.start != nil {
			from, to = int(w.start[row]), int(w.start[row+1])
		}
		var largest float32
		for _, v := range w.value[from:to] {
			largest = max(largest, v, -v)
		}
		if largest > 0 {
			q.scale[row] = largest / 127
			for i, v := range w.value[from:to] {
				q.code[from+i] = int8(math.Round(float64(v / largest * 127)))
			}
		}
	}
	return q
}

// tensors are the weights as an artefact holds them.
func (w *weights) tensors() map[string]artefact.Tensor {
	t, shape := map[string]artefact.Tensor{}, []int{w.rows, w.columns}
	if w.start != nil {
		t["start"], t["column"] = artefact.Ints(w.start, len(w.start)), artefact.Ints(w.column, len(w.column))
		shape = []int{len(w.column)}
	}
	if w.code != nil {
		t["code"], t["scale"] = artefact.Bytes(w.code, shape...), artefact.Floats(w.scale, len(w.scale))
	} else {
		t["weight"] = artefact.Floats(w.value, shape...)
	}
	return t
}

// readWeights reads them back, checked so that add cannot go astray.
func readWeights(a artefact.Artefact, rows, columns int) (*weights, error) {
	w := &weights{rows: rows, columns: columns}
	shape := []int{rows, columns}
	var err error
	if _, sparse := a.Tensors["start"]; sparse {
		if w.start, _, err = a.Ints("start", rows+1); err != nil {
			return nil, err
		}
		if w.column, shape, err = a.Ints("column", -1); err != nil {
			return nil, err
		}
		if err := w.checkSparse(); err != nil {
			return nil, err
		}
	} else if _, stray := a.Tensors["column"]; stray {
		return nil, fmt.Errorf("columns without where rows start: %w", upnext.ErrInvalid)
	}
	if _, bytes := a.Tensors["code"]; !bytes {
		w.value, _, err = a.Floats("weight", shape...)
		return w, err
	}
	if w.code, _, err = a.Bytes("code", shape...); err != nil {
		return nil, err
	}
	w.scale, _, err = a.Floats("scale", rows)
	return w, err
}

// checkSparse: rows follow one another to the end, columns are in range.
func (w *weights) checkSparse() error {
	if w.start[0] != 0 || int(w.start[w.rows]) != len(w.column) {
		return fmt.Errorf("rows from %d to %d of %d: %w", w.start[0], w.start[w.rows], len(w.column), upnext.ErrInvalid)
	}
	for i := range w.rows {
		if w.start[i] > w.start[i+1] {
			return fmt.Errorf("row %d from %d to %d: %w", i, w.start[i], w.start[i+1], upnext.ErrInvalid)
		}
	}
	for _, c := range w.column {
		if c < 0 || int(c) >= w.columns {
			return fmt.Errorf("column %d of %d: %w", c, w.columns, upnext.ErrInvalid)
		}
	}
	return nil
}
