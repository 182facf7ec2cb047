package rabitq

// padded is the stride of a row: dim rounded up to whole words of 64.
func padded(dim int) int { return (dim + 63) / 64 * 64 }

// quantiseRow writes v as bytes around 128 and returns their scale: component
// i is about scale·(row[i]-128). The bias lets one instruction multiply rows
// (unsigned) with queries (signed), and costs each query one subtraction.
func quantiseRow(v []float32, row []byte) (scale float32) {
	scale, inverse := quantum(v)
	for i, x := range v {
		row[i] = byte(x*inverse + 128.5)
	}
	for i := len(v); i < len(row); i++ {
		row[i] = 128
	}
	return scale
}

// quantiseQuery is quantiseRow for the signed side of the product; bias is
// what the rows' 128 add to every product with it.
func quantiseQuery(v []float32, q []int8) (scale float32, bias int32) {
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
