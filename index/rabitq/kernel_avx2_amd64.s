#include "go_asm.h"
#include "textflag.h"

// The three loops in AVX2 and FMA. Bits are counted by a table of nibbles, as AVX2
// has no population count.

DATA nibbles<>+0x00(SB)/8, $0x0302020102010100
DATA nibbles<>+0x08(SB)/8, $0x0403030203020201
DATA nibbles<>+0x10(SB)/8, $0x0302020102010100
DATA nibbles<>+0x18(SB)/8, $0x0403030203020201
GLOBL nibbles<>(SB), RODATA|NOPTR, $32

DATA lows<>+0x00(SB)/8, $0x0F0F0F0F0F0F0F0F
GLOBL lows<>(SB), RODATA|NOPTR, $8

// func dotFloatsAVX2(q, rows *float32, ids *uint32, n, stride int, out *float32)
TEXT ·dotFloatsAVX2(SB), NOSPLIT, $0-48
	MOVQ q+0(FP), SI
	MOVQ rows+8(FP), DI
	MOVQ ids+16(FP), R8
	MOVQ n+24(FP), R9
	MOVQ stride+32(FP), R10
	MOVQ out+40(FP), R11
	SHLQ $2, R10
	TESTQ R9, R9
	JZ   done
	MOVL (R8), AX
	IMULQ R10, AX
	LEAQ (DI)(AX*1), BX
row:
	MOVQ BX, DX
	CMPQ R9, $1
	JE   last
	MOVL 4(R8), AX
	IMULQ R10, AX
	LEAQ (DI)(AX*1), DX
last:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	XORQ R13, R13
inner:
	PREFETCHT0 (DX)(R13*1)
	PREFETCHT0 64(DX)(R13*1)
	VMOVUPS (BX)(R13*1), Y4
	VMOVUPS 32(BX)(R13*1), Y5
	VMOVUPS 64(BX)(R13*1), Y6
	VMOVUPS 96(BX)(R13*1), Y7
	VFMADD231PS (SI)(R13*1), Y4, Y0
	VFMADD231PS 32(SI)(R13*1), Y5, Y1
	VFMADD231PS 64(SI)(R13*1), Y6, Y2
	VFMADD231PS 96(SI)(R13*1), Y7, Y3
	ADDQ $128, R13
	CMPQ R13, R10
	JLT  inner
	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VMOVSS X0, (R11)
	ADDQ $4, R11
	ADDQ $4, R8
	MOVQ DX, BX
	DECQ R9
	JNZ  row
	VZEROUPPER
done:
	RET

// COUNT sets each byte of out to the ones of the same byte of (plane AND code).
#define COUNT(plane, code, out, t) \
	VPBROADCASTQ plane, out; \
	VPAND code, out, out; \
	VPAND Y14, out, t; \
	VPSRLW $4, out, out; \
	VPAND Y14, out, out; \
	VPSHUFB t, Y15, t; \
	VPSHUFB out, Y15, out; \
	VPADDB t, out, out

// HALF adds to sum the digits of four codes' words: at most 8·15 in a byte,
// so the four planes are joined before the bytes are summed.
#define HALF(code, sum) \
	COUNT(24(SI), code, Y2, Y3); \
	COUNT(16(SI), code, Y4, Y5); \
	VPADDB Y2, Y2, Y2; \
	VPADDB Y4, Y2, Y2; \
	COUNT(8(SI), code, Y4, Y5); \
	VPADDB Y2, Y2, Y2; \
	VPADDB Y4, Y2, Y2; \
	COUNT((SI), code, Y4, Y5); \
	VPADDB Y2, Y2, Y2; \
	VPADDB Y4, Y2, Y2; \
	VPSADBW Y9, Y2, Y2; \
	VPADDQ Y2, sum, sum

// func scanCodesAVX2(s *codeScan)
TEXT ·scanCodesAVX2(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), AX
	MOVQ codeScan_planes(AX), DI
	MOVQ codeScan_codes(AX), BX
	MOVQ codeScan_words(AX), R10
	MOVQ codeScan_blocks(AX), R9
	MOVQ codeScan_scale(AX), R11
	MOVQ codeScan_sum(AX), R12
	MOVQ codeScan_bias(AX), R13
	VBROADCASTSS codeScan_a(AX), Y10
	VBROADCASTSS codeScan_b(AX), Y11
	VBROADCASTSS codeScan_c(AX), Y12
	VBROADCASTSS codeScan_threshold(AX), Y13
	MOVQ codeScan_out(AX), R8
	MOVQ codeScan_mask(AX), DX
	VPBROADCASTQ lows<>(SB), Y14
	VMOVDQU nibbles<>(SB), Y15
	VPXOR Y9, Y9, Y9
block:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	MOVQ DI, SI
	MOVQ R10, CX
word:
	VMOVDQU (BX), Y6
	VMOVDQU 32(BX), Y7
	HALF(Y6, Y0)
	HALF(Y7, Y1)
	ADDQ $64, BX
	ADDQ $32, SI
	DECQ CX
	JNZ  word
	VSHUFPS $0x88, Y1, Y0, Y0
	VPERMQ $0xD8, Y0, Y0
	VCVTDQ2PS Y0, Y0
	VFMADD213PS Y11, Y10, Y0
	VMULPS (R11), Y0, Y0
	VMOVUPS (R12), Y1
	VFMADD231PS Y12, Y1, Y0
	VADDPS (R13), Y0, Y0
	VMOVUPS Y0, (R8)
	VCMPPS $0x1E, Y13, Y0, Y1
	VMOVMSKPS Y1, AX
	MOVB AX, (DX)
	ADDQ $32, R11
	ADDQ $32, R12
	ADDQ $32, R13
	ADDQ $32, R8
	INCQ DX
	DECQ R9
	JNZ  block
	VZEROUPPER
	RET

// func scanKeysAVX2(keys *int64, words int, first, last int64, out *uint64)
// There is only "greater": a key passes that is greater than first-1 and not
// greater than last. Eight keys make a byte.
TEXT ·scanKeysAVX2(SB), NOSPLIT, $0-40
	MOVQ keys+0(FP), SI
	MOVQ words+8(FP), CX
	MOVQ first+16(FP), AX
	DECQ AX
	VMOVQ AX, X0
	VPBROADCASTQ X0, Y0
	VPBROADCASTQ last+24(FP), Y1
	MOVQ out+32(FP), DI
	SHLQ $3, CX
	JZ   done
eight:
	VMOVDQU (SI), Y2
	VMOVDQU 32(SI), Y3
	VPCMPGTQ Y0, Y2, Y4
	VPCMPGTQ Y0, Y3, Y5
	VPCMPGTQ Y1, Y2, Y2
	VPCMPGTQ Y1, Y3, Y3
	VPANDN Y4, Y2, Y2
	VPANDN Y5, Y3, Y3
	VMOVMSKPD Y2, AX
	VMOVMSKPD Y3, BX
	SHLQ $4, BX
	ORQ BX, AX
	MOVB AX, (DI)
	ADDQ $64, SI
	INCQ DI
	DECQ CX
	JNZ  eight
	VZEROUPPER
done:
	RET
