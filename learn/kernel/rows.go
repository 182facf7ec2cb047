package kernel

import "math"

// ExpRow sets every x to exp(x - highest) and returns their sum, to about 3 in
// the 7th digit. highest should be the row's maximum; a difference outside -87
// … 87 counts as that bound, and a NaN as the lower one.
func (l Level) ExpRow(x []float32, highest float32) float32 {
	switch {
	case len(x) == 0:
		return 0
	case l == AVX512:
		return expRowAVX512(&x[0], len(x), highest)
	case l == AVX2:
		return expRowAVX2(&x[0], len(x), highest)
	}
	var sum float32
	for i, v := range x {
		d := v - highest
		if !(d > -87) { // NaN too
			d = -87
		}
		x[i] = float32(math.Exp(float64(min(d, 87))))
		sum += x[i]
	}
	return sum
}

// MaxRow is the largest of x, which must hold no NaN; of none it is -MaxFloat32.
func (l Level) MaxRow(x []float32) float32 {
	switch {
	case len(x) == 0:
	case l == AVX512:
		return maxRowAVX512(&x[0], len(x))
	case l == AVX2:
		return maxRowAVX2(&x[0], len(x))
	}
	highest := float32(-math.MaxFloat32)
	for _, v := range x {
		highest = max(highest, v)
	}
	return highest
}

// Dot is the inner product of x and y, of equal length.
func (l Level) Dot(x, y []float32) float32 {
	y = y[:len(x)]
	if l >= AVX2 && len(x) > 0 {
		return dotAVX2(&x[0], &y[0], len(x))
	}
	var sum float32
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// DotBytes is the inner product of x with 8-bit numbers, for vectors that are
// stored quantised.
func (l Level) DotBytes(x []float32, y []int8) float32 {
	y = y[:len(x)]
	if l >= AVX2 && len(x) > 0 {
		return dotBytesAVX2(&x[0], &y[0], len(x))
	}
	var sum float32
	for i, v := range x {
		sum += v * float32(y[i])
	}
	return sum
}

// Axpy adds k·x to y, of equal length.
func (l Level) Axpy(y []float32, k float32, x []float32) {
	x = x[:len(y)]
	if l >= AVX2 && len(x) > 0 {
		axpyAVX2(&y[0], k, &x[0], len(x))
		return
	}
	for i, v := range x {
		y[i] += k * v
	}
}

// AxpyPlus adds k·x + c to y, of equal length.
func (l Level) AxpyPlus(y []float32, k float32, x []float32, c float32) {
	x = x[:len(y)]
	if l >= AVX2 && len(x) > 0 {
		axpyPlusAVX2(&y[0], k, &x[0], c, len(x))
		return
	}
	for i, v := range x {
		y[i] += c + k*v
	}
}

// Sums are Σx and Σx², in float64.
func (l Level) Sums(x []float32) (sum, squares float64) {
	whole := len(x) &^ 7
	if l >= AVX2 && whole > 0 {
		var sums [2]float64
		momentsAVX2(&x[0], whole, &sums[0])
		sum, squares, x = sums[0], sums[1], x[whole:]
	}
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	return sum, squares
}
