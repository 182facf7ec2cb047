package rabitq

import (
	"slices"

	"golang.org/x/sys/cpu"

	"upnext/learn/kernel/quantised"
)

// kernels returns the forms that this processor runs, the best one first.
func kernels() []kernel {
	var can []kernel
	bytes := quantised.Kernels()
	of := func(name string) quantised.Kernel { // it asks for no more of the processor than is asked for here
		return bytes[slices.IndexFunc(bytes, func(k quantised.Kernel) bool { return k.Name == name })]
	}
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI && x.HasAVX512VPOPCNTDQ {
		can = append(can, kernel{"avx512", of("avx512"), dotFloatsAVX512, scanCodesAVX512, scanKeysAVX512})
	}
	if x.HasAVX2 && x.HasFMA {
		can = append(can, kernel{"avx2", of("avx2"), dotFloatsAVX2, scanCodesAVX2, scanKeysAVX2})
	}
	return append(can, plain())
}

//go:noescape
func dotFloatsAVX512(q, rows *float32, ids *uint32, n, stride int, out *float32)

//go:noescape
func scanCodesAVX512(s *codeScan)

//go:noescape
func dotFloatsAVX2(q, rows *float32, ids *uint32, n, stride int, out *float32)

//go:noescape
func scanCodesAVX2(s *codeScan)

//go:noescape
func scanKeysAVX512(keys *int64, words int, first, last int64, out *uint64)

//go:noescape
func scanKeysAVX2(keys *int64, words int, first, last int64, out *uint64)
