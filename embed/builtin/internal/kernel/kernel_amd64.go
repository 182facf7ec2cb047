package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

func best() Level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Plain
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VNNI:
		return AVX512
	default:
		return AVX2
	}
}

//go:noescape
func quantizeFast(x *float32, q *int8, d *float32, s *int32, blocks int)

// mulAVX512 answers 4 rows × 32 outputs.
//
//go:noescape
func mulAVX512(t *q8tile)

// mulAVX2x8 answers 4 rows × 8 outputs.
//
//go:noescape
func mulAVX2x8(t *q8tile)

func mulAVX2(t *q8tile) {
	w, wd, y, bias := t.w, t.wd, t.y, t.bias
	in := t.blocks * Block
	for eight := range tileOuts / 8 {
		at, half := eight/2, eight%2
		t.w = (*byte)(unsafe.Add(unsafe.Pointer(w), at*in*panel+half*panel*2))
		t.wd = (*float32)(unsafe.Add(unsafe.Pointer(wd), at*t.blocks*panel*4+half*panel*2))
		t.y = (*float32)(unsafe.Add(unsafe.Pointer(y), eight*panel*2))
		t.bias = (*float32)(unsafe.Add(unsafe.Pointer(bias), eight*panel*2))
		mulAVX2x8(t)
	}
}

// floatAVX2 answers 4 rows × 24 outputs.
//
//go:noescape
func floatAVX2(t *floatTile)

// depthAVX2 answers one pixel.
//
//go:noescape
func depthAVX2(t *depthTile)

//go:noescape
func normalizeAVX2(row, scale, shift *float32, eights int, eps float32)
