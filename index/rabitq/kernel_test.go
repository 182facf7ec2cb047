package rabitq

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"upnext/learn/kernel/quantised"
)

// Every kernel that this processor runs must say what the plain one says.
func TestKernelsAgreeWithPlain(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkKernel(t, k) })
		})
	}
}

func FuzzKernels(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		for _, k := range kernels() {
			checkKernel(t, k)
		}
	}))
}

func checkKernel(t *rapid.T, k kernel) {
	stride := 64 * rapid.IntRange(1, 40).Draw(t, "words")
	rows := 4 * rapid.IntRange(1, 12).Draw(t, "quads of rows")
	gathered := rapid.IntRange(0, 9).Draw(t, "gathered")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	extreme := rapid.Bool().Draw(t, "extreme values")

	query, bytes := make([]int8, stride), make([]byte, rows*stride)
	for i := range query {
		query[i] = int8(rng.IntN(255) - 127)
		if extreme {
			query[i] = []int8{-127, 127, -128}[i%3]
		}
	}
	for i := range bytes {
		bytes[i] = byte(rng.IntN(256))
		if extreme {
			bytes[i] = 255
		}
	}
	ids := make([]uint32, gathered+1) // one more, so that an empty gather has an address
	for i := range ids {
		ids[i] = uint32(rng.IntN(rows))
	}
	got, want := make([]int32, rows), make([]int32, rows)
	k.bytes.Scan(&query[0], &bytes[0], rows, stride, &got[0])
	quantised.Plain().Scan(&query[0], &bytes[0], rows, stride, &want[0])
	equal(t, "scanRows", got, want)

	got, want = make([]int32, gathered+1), make([]int32, gathered+1)
	k.bytes.Gather(&query[0], &bytes[0], &ids[0], gathered, stride, &got[0])
	quantised.Plain().Gather(&query[0], &bytes[0], &ids[0], gathered, stride, &want[0])
	equal(t, "dotRows", got, want)

	q, floats := make([]float32, stride), make([]float32, rows*stride)
	for i := range q {
		q[i] = float32(rng.NormFloat64())
	}
	for i := range floats {
		floats[i] = float32(rng.NormFloat64())
	}
	gotF, wantF := make([]float32, gathered+1), make([]float32, gathered+1)
	k.dotFloats(&q[0], &floats[0], &ids[0], gathered, stride, &gotF[0])
	dotFloatsPlain(&q[0], &floats[0], &ids[0], gathered, stride, &wantF[0])
	near(t, "dotFloats", gotF, wantF, 1e-5*float64(stride))

	checkScanCodes(t, k, rng, stride/64, rows/4)
	checkScanKeys(t, k, rng, rows/4)
}

func checkScanCodes(t *rapid.T, k kernel, rng *rand.Rand, words, blocks int) {
	floats := func() []float32 {
		f := make([]float32, blocks*8)
		for i := range f {
			f[i] = float32(rng.NormFloat64())
		}
		return f
	}
	planes, codes := make([]uint64, words*4), make([]uint64, blocks*words*8)
	for i := range planes {
		planes[i] = rng.Uint64() | uint64(-int64(rng.IntN(2))) // half of them all ones
	}
	for i := range codes {
		codes[i] = rng.Uint64() | uint64(-int64(rng.IntN(2)))
	}
	scale, sum, bias := floats(), floats(), floats()
	run := func(scan func(*codeScan)) ([]float32, []byte) {
		out, mask := make([]float32, blocks*8), make([]byte, blocks)
		scan(&codeScan{&planes[0], &codes[0], words, blocks, &scale[0], &sum[0], &bias[0], 0.125, -3, 0.5, 0.25, &out[0], &mask[0]})
		return out, mask
	}
	got, mask := run(k.scanCodes)
	want, _ := run(scanCodesPlain)
	near(t, "scanCodes", got, want, 1e-3*float64(words))
	for i, x := range got {
		if above := mask[i/8]>>(i%8)&1 == 1; above != (x > 0.25) {
			t.Fatalf("scanCodes: mask says %v of estimate %v above 0.25", above, x)
		}
	}
}

func checkScanKeys(t *rapid.T, k kernel, rng *rand.Rand, words int) {
	keys := make([]int64, words*64)
	for i := range keys {
		keys[i] = rng.Int64N(9) - 4
		if rng.IntN(9) == 0 {
			keys[i] = []int64{math.MinInt64, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64 + 1}[rng.IntN(4)]
		}
	}
	ends := []int64{math.MinInt64 + 1, -5, -1, 0, 2, 7, math.MaxInt64 - 1}
	i, j := rng.IntN(len(ends)), rng.IntN(len(ends))
	first, last := ends[min(i, j)], ends[max(i, j)]
	got, want := make([]uint64, words), make([]uint64, words)
	k.scanKeys(&keys[0], words, first, last, &got[0])
	scanKeysPlain(&keys[0], words, first, last, &want[0])
	for w := range want {
		if got[w] != want[w] {
			t.Fatalf("scanKeys %d to %d: word %d is %x, want %x", first, last, w, got[w], want[w])
		}
		for i, key := range keys[w*64:][:64] {
			if in := want[w]>>i&1 == 1; in != (key >= first && key <= last) {
				t.Fatalf("scanKeysPlain %d to %d says %v of %d", first, last, in, key)
			}
		}
	}
}

func equal(t *rapid.T, what string, got, want []int32) {
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: row %d is %d, want %d", what, i, got[i], want[i])
		}
	}
}

func near(t *rapid.T, what string, got, want []float32, tolerance float64) {
	for i := range want {
		if math.Abs(float64(got[i])-float64(want[i])) > tolerance {
			t.Fatalf("%s: %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}
