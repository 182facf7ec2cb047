package quantised

import "golang.org/x/sys/cpu"

// Kernels returns the forms that this processor runs, the best one first.
func Kernels() []Kernel {
	var can []Kernel
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI {
		can = append(can, Kernel{"avx512", gatherAVX512, scanAVX512})
	}
	if x.HasAVX2 {
		can = append(can, Kernel{"avx2", gatherAVX2, scanAVX2})
	}
	return append(can, Plain())
}

//go:noescape
func gatherAVX512(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)

//go:noescape
func scanAVX512(q *int8, rows *byte, n, stride int, out *int32)

//go:noescape
func gatherAVX2(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)

//go:noescape
func scanAVX2(q *int8, rows *byte, n, stride int, out *int32)
