package kernel

import "golang.org/x/sys/cpu"

func best() Level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Plain
	case x.HasAVX512F:
		return AVX512
	default:
		return AVX2
	}
}

// A tileRxC kernel answers R rows × up to C columns of a product.
//
//go:noescape
func tile6x16(t *tile)

//go:noescape
func tile6x16masked(t *tile)

//go:noescape
func tile4x16masked(t *tile)

//go:noescape
func tile2x16masked(t *tile)

//go:noescape
func tile1x16masked(t *tile)

//go:noescape
func tile1x64(t *tile)

//go:noescape
func tile12x32(t *tile)

//go:noescape
func tile8x32(t *tile)

//go:noescape
func tile4x32(t *tile)

//go:noescape
func tile2x32(t *tile)

//go:noescape
func tile1x32(t *tile)

// The row kernels take n ≥ 1 numbers.
//
//go:noescape
func expRowAVX512(x *float32, n int, highest float32) float32

//go:noescape
func expRowAVX2(x *float32, n int, highest float32) float32

//go:noescape
func maxRowAVX512(x *float32, n int) float32

//go:noescape
func maxRowAVX2(x *float32, n int) float32

//go:noescape
func dotAVX2(x, y *float32, n int) float32

//go:noescape
func dotBytesAVX2(x *float32, y *int8, n int) float32

//go:noescape
func axpyAVX2(y *float32, k float32, x *float32, n int)

//go:noescape
func axpyPlusAVX2(y *float32, k float32, x *float32, c float32, n int)

//go:noescape
func momentsAVX2(x *float32, n int, sums *float64)
