package embed

import "math"

// projection maps vectors of one length to shorter ones by an orthonormal
// matrix that is the same for ever: it depends on the two lengths alone.
//
// Its rows are made from splitmix64 (below), seeded with the lengths: each entry
// is the sum of the four 16-bit parts of one output, less their mean, which is
// nearly normal and an exact whole number. Then the rows are made orthogonal in
// order by modified Gram–Schmidt and scaled to length 1, in float64 without
// fused multiply-add, so that every machine gets the same bits.
type projection struct {
	from, to int
	rows     []float32 // to × from; nil where the vector already fits
}

func newProjection(from, to int) *projection {
	p := &projection{from: from, to: to}
	if from <= to {
		return p // fits as it is, with zeros behind
	}
	rows := make([][]float64, to)
	state := uint64(from)<<32 | uint64(to)
	for i := range rows {
		rows[i] = make([]float64, from)
		for k := range rows[i] {
			rows[i][k] = float64(nearlyNormal(&state))
		}
	}
	p.rows = make([]float32, 0, to*from)
	for i, row := range rows {
		for _, before := range rows[:i] {
			subtract(row, before, dot(row, before))
		}
		scale(row, 1/math.Sqrt(dot(row, row)))
		for _, x := range row {
			p.rows = append(p.rows, float32(x))
		}
	}
	return p
}

// apply writes the projection of v, scaled to length 1, into out, and says
// whether it has a direction.
func (p *projection) apply(out, v []float32) bool {
	if p.rows == nil {
		copy(out, v)
	} else {
		for i := range out {
			out[i] = float32(dot32(p.rows[i*p.from:][:p.from], v))
		}
	}
	return normalize(out)
}

// nearlyNormal steps splitmix64 and sums the four quarters of its output.
func nearlyNormal(state *uint64) int {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int(z&0xffff+z>>16&0xffff+z>>32&0xffff+z>>48) - 2*0xffff
}

// dot adds in four lanes. The conversions forbid a fused multiply-add.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := (*[4]float64)(a[i:]), (*[4]float64)(b[i:])
		s0 += float64(x[0] * y[0])
		s1 += float64(x[1] * y[1])
		s2 += float64(x[2] * y[2])
		s3 += float64(x[3] * y[3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

func dot32(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		x, y := (*[4]float32)(a[i:]), (*[4]float32)(b[i:])
		s0 += float64(x[0]) * float64(y[0])
		s1 += float64(x[1]) * float64(y[1])
		s2 += float64(x[2]) * float64(y[2])
		s3 += float64(x[3]) * float64(y[3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i]) * float64(b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// subtract takes f·b from a.
func subtract(a, b []float64, f float64) {
	b = b[:len(a)]
	for i := range a {
		a[i] -= float64(f * b[i])
	}
}

func scale(a []float64, f float64) {
	for i := range a {
		a[i] *= f
	}
}

// normalize scales v to length 1 in place and says whether it could: a vector
// of zeros has no direction.
func normalize(v []float32) bool {
	n := dot32(v, v)
	if !(n > 0) || math.IsInf(n, 1) {
		return false
	}
	inv := 1 / math.Sqrt(n)
	for i, x := range v {
		v[i] = float32(float64(x) * inv)
	}
	return true
}
