// Package quantised multiplies vectors whose components are bytes: a quarter of
// what float32 takes of memory, and of the time to read it.
package quantised

import "unsafe"

// Kernel is the two loops in one form: plain Go, AVX2 or AVX-512. All forms
// agree exactly. Pointers are bare because the callees are assembly; what each
// must be able to read is said. A row is stride bytes, a multiple of 64, biased by
// 128: see Row.
type Kernel struct {
	Name string

	// Gather sets out[i] to the product of q with row ids[i].
	Gather func(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)

	// Scan is Gather for n rows one after the other, n a multiple of 4.
	Scan func(q *int8, rows *byte, n, stride int, out *int32)
}

// Plain is the kernel in Go, for every processor.
func Plain() Kernel { return Kernel{"plain", gatherPlain, scanPlain} }

// Best is the fastest that this machine runs.
var Best = Kernels()[0]

func gatherPlain(q *int8, rows *byte, ids *uint32, n, stride int, out *int32) {
	query := unsafe.Slice(q, stride)
	results := unsafe.Slice(out, n)
	for i, id := range unsafe.Slice(ids, n) {
		results[i] = dot(query, unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(rows), int(id)*stride)), stride))
	}
}

func scanPlain(q *int8, rows *byte, n, stride int, out *int32) {
	query := unsafe.Slice(q, stride)
	all := unsafe.Slice(rows, n*stride)
	for i := range unsafe.Slice(out, n) {
		unsafe.Slice(out, n)[i] = dot(query, all[i*stride:][:stride])
	}
}

func dot(query []int8, row []byte) int32 {
	var s0, s1 int32
	row = row[:len(query)]
	for i := 0; i+2 <= len(query); i += 2 {
		s0 += int32(query[i]) * int32(row[i])
		s1 += int32(query[i+1]) * int32(row[i+1])
	}
	return s0 + s1
}

// Padded is the stride of a row: dim rounded up to whole words of 64.
func Padded(dim int) int { return (dim + 63) / 64 * 64 }

// Row writes v as bytes around 128 and returns their scale: component i is about
// scale·(row[i]-128). The bias lets one instruction multiply rows (unsigned) with
// queries (signed), and costs each query one subtraction.
func Row(v []float32, row []byte) (scale float32) {
	scale, inverse := quantum(v)
	for i, x := range v {
		row[i] = byte(x*inverse + 128.5)
	}
	for i := len(v); i < len(row); i++ {
		row[i] = 128
	}
	return scale
}

// Query is Row for the signed side of the product; bias is what the rows' 128 add
// to every product with it. The product of the vectors is about
// (out-bias)·scale·(the row's scale).
func Query(v []float32, q []int8) (scale float32, bias int32) {
	scale, inverse := quantum(v)
	for i, x := range v {
		q[i] = int8(int32(x*inverse+128.5) - 128)
		bias += int32(q[i]) * 128
	}
	clear(q[len(v):])
	return scale, bias
}

// quantum is the step of 127 that reaches v's largest component, and its
// inverse; 1 for a vector of zeros.
func quantum(v []float32) (step, inverse float32) {
	var largest float32
	for _, x := range v {
		largest = max(largest, x, -x)
	}
	if largest < 1e-30 { // or the inverse would overflow
		return 1, 1
	}
	return largest / 127, 127 / largest
}
