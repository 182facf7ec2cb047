package sequence

import "upnext/learn/kernel"

// block is a named part of the weights.
type block struct {
	name   string
	shape  []int
	at, n  int  // its first number in the weights, and how many they are
	turned bool // it is also wanted transposed
}

// layout says where each block lies in one long slice, so that optimiser,
// averages and checkpoints treat them as one.
type layout struct {
	blocks []block
	size   int
	items  int // where the items' vectors begin; they are the last block
}

// vector adds a block that is used as it lies, and returns where it begins.
func (l *layout) vector(name string, shape ...int) int {
	n := 1
	for _, side := range shape {
		n *= side
	}
	l.blocks = append(l.blocks, block{name: name, shape: shape, at: l.size, n: n})
	l.size += n
	return l.size - n
}

// matrix adds a block that the way back multiplies with transposed.
func (l *layout) matrix(name string, rows, columns int) int {
	at := l.vector(name, rows, columns)
	l.blocks[len(l.blocks)-1].turned = true
	return at
}

// weights are the numbers of a layout, and transposed copies of some blocks:
// a product's second factor must lie row by row.
type weights struct {
	*layout
	w      []float32
	turned map[int][]float32 // by where the block begins
}

// newWeights makes zero weights with the copies that training wants: that of
// the items' vectors, which are many, only for a softmax over all of them.
func newWeights(l *layout, allItems bool) *weights {
	v := &weights{layout: l, w: make([]float32, l.size), turned: map[int][]float32{}}
	for _, b := range l.blocks {
		if b.turned && (allItems || b.at != l.items) {
			v.turned[b.at] = make([]float32, b.n)
		}
	}
	return v
}

// row is where an item's vector lies, in the weights as in their gradient.
func (l *layout) row(w []float32, item int32, d int) []float32 { return w[l.items+int(item)*d:][:d] }

// turn brings the transposed copies up to date.
func (v *weights) turn() {
	for _, b := range v.blocks {
		if to := v.turned[b.at]; to != nil {
			transpose(to, v.w[b.at:], b.shape[0], b.shape[1])
		}
	}
}

// from views the weights that begin at, as rows of a width.
func (v *weights) from(at, width int) kernel.Matrix { return kernel.Rows(v.w[at:], width) }

// back views the transposed copy of the block that begins at.
func (v *weights) back(at, width int) kernel.Matrix { return kernel.Rows(v.turned[at], width) }

// transpose writes the [rows][columns] of from as [columns][rows], in squares
// that stay in the cache.
func transpose(to, from []float32, rows, columns int) {
	const side = 32
	for i0 := 0; i0 < rows; i0 += side {
		for j0 := 0; j0 < columns; j0 += side {
			for j := j0; j < min(j0+side, columns); j++ {
				out := to[j*rows : j*rows+rows]
				for i := i0; i < min(i0+side, rows); i++ {
					out[i] = from[i*columns+j]
				}
			}
		}
	}
}
