package sequence

import (
	"math"

	"upnext/learn/kernel"
)

// normalise is layer normalisation of rows of d numbers (Ba et al. 2016): y =
// gain·x̂ + shift with x̂ = (x − mean)/deviation, which is kept for the way back
// with 1/deviation.
func normalise(x, hat, y, inverse, gain, shift []float32, rows, d int) {
	gain, shift = gain[:d], shift[:d]
	for t := range rows {
		in, h, out := x[t*d:][:d], hat[t*d:][:d], y[t*d:][:d]
		var s, s1, s2, s3 float32
		i := 0
		for ; i+4 <= d; i += 4 {
			s += in[i]
			s1 += in[i+1]
			s2 += in[i+2]
			s3 += in[i+3]
		}
		for ; i < d; i++ {
			s += in[i]
		}
		mean := (s + s1 + s2 + s3) / float32(d)
		s, s1 = 0, 0
		for i = 0; i+2 <= d; i += 2 {
			v, v1 := in[i]-mean, in[i+1]-mean
			s += v * v
			s1 += v1 * v1
		}
		for ; i < d; i++ {
			s += (in[i] - mean) * (in[i] - mean)
		}
		k := float32(1 / math.Sqrt(float64((s+s1)/float32(d))+1e-5))
		inverse[t] = k
		for i := range h {
			v := (in[i] - mean) * k
			h[i] = v
			out[i] = v*gain[i] + shift[i]
		}
	}
}

// normaliseBack adds to gx, ggain and gshift what gy, the gradient of y, makes.
func normaliseBack(gy, hat, inverse, gain, ggain, gshift, gx []float32, rows, d int) {
	gain, ggain, gshift = gain[:d], ggain[:d], gshift[:d]
	for t := range rows {
		y, h, out := gy[t*d:][:d], hat[t*d:][:d], gx[t*d:][:d]
		var s, s2 float32
		for i, g := range y {
			v := g * gain[i]
			ggain[i] += g * h[i]
			gshift[i] += g
			s += v
			s2 += v * h[i]
		}
		s /= float32(d)
		s2 /= float32(d)
		k := inverse[t]
		for i, g := range y {
			out[i] += k * (g*gain[i] - s - h[i]*s2)
		}
	}
}

// affine sets y = x·w + bias for rows of in numbers.
func affine(l kernel.Level, y, x []float32, w kernel.Matrix, bias []float32, rows, in, out int) {
	for t := range rows {
		copy(y[t*out:][:out], bias[:out])
	}
	l.Gemm(rows, out, in, kernel.Rows(x, in), w, kernel.Rows(y, out), true)
}

// affineBack adds the gradients of w and bias, x and gy being given.
func affineBack(l kernel.Level, gw, gbias, x, gy []float32, rows, in, out int) {
	gbias = gbias[:out]
	for t := range rows {
		for i, g := range gy[t*out:][:out] {
			gbias[i] += g
		}
	}
	l.Gemm(in, out, rows, kernel.Rows(x, in).T(), kernel.Rows(gy, out), kernel.Rows(gw, out), true)
}

// dropout draws which numbers are dropped and scales those that stay.
type dropout struct {
	state     uint64
	threshold uint64  // of 256
	scale     float32 // of what stays
}

// newDropout rounds the rate to 1/256, so that 8 numbers are drawn at a time.
func newDropout(rate float64, noise uint64) dropout {
	n := math.Round(rate * 256)
	return dropout{noise*0x9E3779B97F4A7C15 | 1, uint64(n), float32(256 / (256 - n))}
}

// draw sets keep to 1 or 0 (xorshift64*, Vigna 2016). It must have room for a
// multiple of 8.
func (d *dropout) draw(keep []uint8, n int) {
	r := d.state
	for i := 0; i < n; i += 8 {
		r ^= r >> 12
		r ^= r << 25
		r ^= r >> 27
		z := r * 0x2545F4914F6CDD1D
		eight := keep[i : i+8 : i+8]
		for k := range eight {
			v := uint8(0)
			if z&255 >= d.threshold {
				v = 1
			}
			eight[k] = v
			z >>= 8
		}
	}
	d.state = r
}

// apply sets y to what is kept of x; they may be the same.
func (d *dropout) apply(y, x []float32, keep []uint8) {
	x, keep = x[:len(y)], keep[:len(y)]
	for i, v := range x {
		y[i] = v * (float32(keep[i]) * d.scale)
	}
}
