package builtin

import "math"

// normalize gives row the mean 0 and the variance 1, then scale and shift (the
// layer norm). It adds in eight lanes, which a processor can do side by side.
func normalize(row, scale, shift []float32, eps float32) {
	scale, shift = scale[:len(row)], shift[:len(row)]
	var s [8]float32
	for i := 0; i+8 <= len(row); i += 8 {
		r := (*[8]float32)(row[i:])
		for k := range s {
			s[k] += r[k]
		}
	}
	mean := sum8(&s) / float32(len(row))
	s = [8]float32{}
	for i := 0; i+8 <= len(row); i += 8 {
		r := (*[8]float32)(row[i:])
		for k := range s {
			s[k] += (r[k] - mean) * (r[k] - mean)
		}
	}
	inv := float32(1 / math.Sqrt(float64(sum8(&s)/float32(len(row))+eps)))
	for i, v := range row {
		row[i] = (v-mean)*inv*scale[i] + shift[i]
	}
}

func sum8(s *[8]float32) float32 {
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

// unit scales v to length 1 in place. A vector of zeros stays one.
func unit(v []float32) {
	var n float64
	for _, x := range v {
		n += float64(x) * float64(x)
	}
	if n == 0 {
		return
	}
	inv := float32(1 / math.Sqrt(n))
	for i := range v {
		v[i] *= inv
	}
}

func relu(v []float32) []float32 {
	for i, x := range v {
		v[i] = max(x, 0)
	}
	return v
}

// plus adds b to a in place.
func plus(a, b []float32) []float32 {
	for i, x := range b {
		a[i] += x
	}
	return a
}

// zeros gives n zeros, in s if they fit there.
func zeros(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	s = s[:n]
	clear(s)
	return s
}
