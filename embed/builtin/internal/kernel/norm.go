package kernel

import "math"

// Normalize gives row the mean 0 and the variance 1, then scale and shift: the
// layer norm. A row has a multiple of 8 values. All levels agree bit for bit:
// they add in eight lanes.
func (l Level) Normalize(row, scale, shift []float32, eps float32) {
	if len(row) < 8 {
		return
	}
	_, _, _ = row[len(row)&^7-1], scale[len(row)-1], shift[len(row)-1]
	if l == Plain {
		normalizePlain(row, scale[:len(row)], shift[:len(row)], eps)
		return
	}
	normalizeAVX2(&row[0], &scale[0], &shift[0], len(row)/8, eps)
}

// The conversions to float32 forbid fused multiply-adds, which would round otherwise.
func normalizePlain(row, scale, shift []float32, eps float32) {
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
			d := r[k] - mean
			s[k] += float32(d * d)
		}
	}
	inv := float32(1 / math.Sqrt(float64(sum8(&s)/float32(len(row))+eps)))
	for i, v := range row {
		row[i] = float32((v-mean)*inv*scale[i]) + shift[i]
	}
}

func sum8(s *[8]float32) float32 {
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}
