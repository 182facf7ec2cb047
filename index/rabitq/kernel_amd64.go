package rabitq

import "golang.org/x/sys/cpu"

// kernels returns the forms that this processor runs, the best one first.
func kernels() []kernel {
	var can []kernel
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI && x.HasAVX512VPOPCNTDQ {
		can = append(can, kernel{"avx512", dotRowsAVX512, scanRowsAVX512, dotFloatsAVX512, scanCodesAVX512, scanKeysAVX512})
	}
	if x.HasAVX2 && x.HasFMA {
		can = append(can, kernel{"avx2", dotRowsAVX2, scanRowsAVX2, dotFloatsAVX2, scanCodesAVX2, scanKeysAVX2})
	}
	return append(can, plain())
}

//go:noescape
func dotRowsAVX512(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)

//go:noescape
func scanRowsAVX512(q *int8, rows *byte, n, stride int, out *int32)

//go:noescape
func dotFloatsAVX512(q, rows *float32, ids *uint32, n, stride int, out *float32)

//go:noescape
func scanCodesAVX512(s *codeScan)

//go:noescape
func dotRowsAVX2(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)

//go:noescape
func scanRowsAVX2(q *int8, rows *byte, n, stride int, out *int32)

//go:noescape
func dotFloatsAVX2(q, rows *float32, ids *uint32, n, stride int, out *float32)

//go:noescape
func scanCodesAVX2(s *codeScan)

//go:noescape
func scanKeysAVX512(keys *int64, words int, first, last int64, out *uint64)

//go:noescape
func scanKeysAVX2(keys *int64, words int, first, last int64, out *uint64)
