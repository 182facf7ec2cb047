package rabitq

import (
	"math/bits"
	"unsafe"

	"upnext/learn/kernel/quantised"
)

// kernel holds the inner loops in one form: plain Go, AVX2 or AVX-512. All
// forms agree: exactly in integers, to rounding in floats. Pointers are bare
// because the callees are assembly; what each must be able to read is said.
type kernel struct {
	name string

	bytes quantised.Kernel

	// dotFloats sets out[i] to the product of q with row ids[i] of stride
	// floats, a multiple of 64.
	dotFloats func(q, rows *float32, ids *uint32, n, stride int, out *float32)

	// scanCodes estimates the products of a query with blocks of eight codes.
	scanCodes func(s *codeScan)

	// scanKeys sets bit i%64 of out[i/64] where first <= keys[i] <= last, for
	// words × 64 keys; first is not the least int64 nor last the greatest.
	scanKeys func(keys *int64, words int, first, last int64, out *uint64)
}

// codeScan is the work of one scanCodes: for code i of the blocks, with S the
// sum of the query's 4-bit digits where the code has a one,
//
//	out[i] = scale[i]*(a*S + b) + c*sum[i] + bias[i]
//
// and bit i%8 of mask[i/8] says whether that is above the threshold.
type codeScan struct {
	planes *uint64 // words × 4: bit p of the digits of 64 dimensions
	codes  *uint64 // blocks × words × 8 codes
	words  int     // 64 dimensions each
	blocks int     // of eight codes, at least 1

	scale, sum, bias *float32 // blocks × 8

	a, b, c, threshold float32

	out  *float32 // blocks × 8
	mask *byte    // blocks
}

// plain is the kernel in Go, for every processor.
func plain() kernel {
	return kernel{"plain", quantised.Plain(), dotFloatsPlain, scanCodesPlain, scanKeysPlain}
}

func dotFloatsPlain(q, rows *float32, ids *uint32, n, stride int, out *float32) {
	query := unsafe.Slice(q, stride)
	results := unsafe.Slice(out, n)
	for i, id := range unsafe.Slice(ids, n) {
		row := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(rows), int(id)*stride*4)), stride)
		var s0, s1, s2, s3 float32 // one sum would wait for each addition
		for j := 0; j+4 <= len(query); j += 4 {
			s0 += query[j] * row[j]
			s1 += query[j+1] * row[j+1]
			s2 += query[j+2] * row[j+2]
			s3 += query[j+3] * row[j+3]
		}
		results[i] = (s0 + s1) + (s2 + s3)
	}
}

func scanKeysPlain(keys *int64, words int, first, last int64, out *uint64) {
	all, sets := unsafe.Slice(keys, words*64), unsafe.Slice(out, words)
	width := uint64(last) - uint64(first)
	for w := range sets {
		var word uint64
		for i, k := range all[w*64:][:64] {
			// One unsigned comparison says both bounds, without a branch.
			var bit uint64
			if uint64(k)-uint64(first) <= width {
				bit = 1
			}
			word |= bit << i
		}
		sets[w] = word
	}
}

func scanCodesPlain(s *codeScan) {
	n := s.blocks * 8
	planes := unsafe.Slice(s.planes, s.words*4)
	codes := unsafe.Slice(s.codes, n*s.words)
	scale, sum, bias := unsafe.Slice(s.scale, n), unsafe.Slice(s.sum, n), unsafe.Slice(s.bias, n)
	out, mask := unsafe.Slice(s.out, n), unsafe.Slice(s.mask, s.blocks)
	for block := range s.blocks {
		var digits [8]int
		for w := range s.words {
			p0, p1, p2, p3 := planes[w*4], planes[w*4+1], planes[w*4+2], planes[w*4+3]
			for lane, code := range codes[(block*s.words+w)*8:][:8] {
				digits[lane] += bits.OnesCount64(code&p0) + bits.OnesCount64(code&p1)<<1 +
					bits.OnesCount64(code&p2)<<2 + bits.OnesCount64(code&p3)<<3
			}
		}
		var above byte
		for lane, digit := range digits {
			i := block*8 + lane
			out[i] = scale[i]*(s.a*float32(digit)+s.b) + s.c*sum[i] + bias[i]
			if out[i] > s.threshold {
				above |= 1 << lane
			}
		}
		mask[block] = above
	}
}
