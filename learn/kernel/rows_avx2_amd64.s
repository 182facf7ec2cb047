#include "textflag.h"

// The constants of rows_avx512_amd64.s, and what masks are cut from: the mask
// of n lanes begins 4·n bytes before the zeros.
DATA exp256<>+0(SB)/4, $0xC2AE0000  // -87
DATA exp256<>+4(SB)/4, $0x3FB8AA3B  // 1/ln 2
DATA exp256<>+8(SB)/4, $0x3F318000  // ln 2, its upper bits
DATA exp256<>+12(SB)/4, $0xB95E8083 // and the rest
DATA exp256<>+16(SB)/4, $0x3AB60B61 // 1/6!
DATA exp256<>+20(SB)/4, $0x3C088889
DATA exp256<>+24(SB)/4, $0x3D2AAAAB
DATA exp256<>+28(SB)/4, $0x3E2AAAAB
DATA exp256<>+32(SB)/4, $0x3F000000
DATA exp256<>+36(SB)/4, $0x3F800000
DATA exp256<>+40(SB)/4, $0x42AE0000 // 87
DATA exp256<>+44(SB)/4, $0xFF7FFFFF // -MaxFloat32
GLOBL exp256<>(SB), RODATA|NOPTR, $48

DATA mask256<>+0(SB)/8, $-1
DATA mask256<>+8(SB)/8, $-1
DATA mask256<>+16(SB)/8, $-1
DATA mask256<>+24(SB)/8, $-1
DATA mask256<>+32(SB)/8, $0
DATA mask256<>+40(SB)/8, $0
DATA mask256<>+48(SB)/8, $0
DATA mask256<>+56(SB)/8, $0
GLOBL mask256<>(SB), RODATA|NOPTR, $64

// MASK sets m to the mask of the CX < 8 numbers that are left.
#define MASK(m) \
	LEAQ mask256<>+32(SB), DX \
	MOVQ CX, BX \
	SHLQ $2, BX \
	SUBQ BX, DX \
	VMOVUPS (DX), m

// SUM returns the sum of y's lanes in x, its lower half.
#define SUM(y, x) \
	VEXTRACTF128 $1, y, X3 \
	VADDPS X3, x, x \
	VHADDPS x, x, x \
	VHADDPS x, x, x

// EXP sets y to 2^t·p(y), using t and u: y is x - highest.
#define EXP(y, t, u) \
	VMAXPS Y5, y, y \
	VMINPS Y15, y, y \
	VMULPS Y6, y, t \
	VROUNDPS $0, t, t \
	VFNMADD231PS Y7, t, y \
	VFNMADD231PS Y8, t, y \
	VBROADCASTSS exp256<>+16(SB), u \
	VFMADD213PS Y9, y, u \
	VFMADD213PS Y11, y, u \
	VFMADD213PS Y12, y, u \
	VFMADD213PS Y13, y, u \
	VFMADD213PS Y14, y, u \
	VFMADD213PS Y14, y, u \
	VCVTPS2DQ t, t \
	VPSLLD $23, t, t \
	VPADDD t, u, y

// func expRowAVX2(x *float32, n int, highest float32) float32
//
// Only the last numbers are stored by mask: such a store takes tens of cycles
// on some machines.
TEXT ·expRowAVX2(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), AX
	MOVQ n+8(FP), CX
	VBROADCASTSS highest+16(FP), Y0
	VBROADCASTSS exp256<>+0(SB), Y5
	VBROADCASTSS exp256<>+4(SB), Y6
	VBROADCASTSS exp256<>+8(SB), Y7
	VBROADCASTSS exp256<>+12(SB), Y8
	VBROADCASTSS exp256<>+20(SB), Y9
	VBROADCASTSS exp256<>+24(SB), Y11
	VBROADCASTSS exp256<>+28(SB), Y12
	VBROADCASTSS exp256<>+32(SB), Y13
	VBROADCASTSS exp256<>+36(SB), Y14
	VBROADCASTSS exp256<>+40(SB), Y15
	VXORPS Y10, Y10, Y10

eight:
	CMPQ CX, $8
	JLT rest
	VMOVUPS (AX), Y1
	VSUBPS Y0, Y1, Y1
	EXP(Y1, Y2, Y3)
	VMOVUPS Y1, (AX)
	VADDPS Y1, Y10, Y10
	ADDQ $32, AX
	SUBQ $8, CX
	JMP eight

rest:
	TESTQ CX, CX
	JZ done
	MASK(Y4)
	VMASKMOVPS (AX), Y4, Y1
	VSUBPS Y0, Y1, Y1
	EXP(Y1, Y2, Y3)
	VMASKMOVPS Y1, Y4, (AX)
	VANDPS Y4, Y1, Y1
	VADDPS Y1, Y10, Y10

done:
	SUM(Y10, X10)
	VMOVSS X10, ret+24(FP)
	VZEROUPPER
	RET

// func maxRowAVX2(x *float32, n int) float32
TEXT ·maxRowAVX2(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), AX
	MOVQ n+8(FP), CX
	VBROADCASTSS exp256<>+44(SB), Y0
	VMOVAPS Y0, Y1
	VMOVAPS Y0, Y4

sixteen:
	CMPQ CX, $16
	JLT eight
	VMAXPS (AX), Y0, Y0
	VMAXPS 32(AX), Y1, Y1
	ADDQ $64, AX
	SUBQ $16, CX
	JMP sixteen

eight:
	CMPQ CX, $8
	JLT rest
	VMAXPS (AX), Y0, Y0
	ADDQ $32, AX
	SUBQ $8, CX

rest:
	TESTQ CX, CX
	JZ done
	MASK(Y2)
	VMASKMOVPS (AX), Y2, Y3
	VBLENDVPS Y2, Y3, Y4, Y3
	VMAXPS Y3, Y0, Y0

done:
	VMAXPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPSHUFD $0x4E, X0, X1
	VMAXPS X1, X0, X0
	VPSHUFD $0xB1, X0, X1
	VMAXPS X1, X0, X0
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func dotAVX2(x, y *float32, n int) float32
TEXT ·dotAVX2(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), AX
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5

thirtytwo:
	CMPQ CX, $32
	JLT eight
	VMOVUPS (AX), Y6
	VMOVUPS 32(AX), Y7
	VMOVUPS 64(AX), Y8
	VMOVUPS 96(AX), Y9
	VFMADD231PS (DI), Y6, Y0
	VFMADD231PS 32(DI), Y7, Y1
	VFMADD231PS 64(DI), Y8, Y4
	VFMADD231PS 96(DI), Y9, Y5
	ADDQ $128, AX
	ADDQ $128, DI
	SUBQ $32, CX
	JMP thirtytwo

eight:
	CMPQ CX, $8
	JLT rest
	VMOVUPS (AX), Y6
	VFMADD231PS (DI), Y6, Y0
	ADDQ $32, AX
	ADDQ $32, DI
	SUBQ $8, CX
	JMP eight

rest:
	TESTQ CX, CX
	JZ done
	MASK(Y2)
	VMASKMOVPS (AX), Y2, Y6
	VMASKMOVPS (DI), Y2, Y7
	VFMADD231PS Y7, Y6, Y1

done:
	VADDPS Y1, Y0, Y0
	VADDPS Y5, Y4, Y4
	VADDPS Y4, Y0, Y0
	SUM(Y0, X0)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func dotBytesAVX2(x *float32, y *int8, n int) float32
TEXT ·dotBytesAVX2(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), AX
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1

sixteen:
	CMPQ CX, $16
	JLT eight
	VPMOVSXBD (DI), Y6
	VPMOVSXBD 8(DI), Y7
	VCVTDQ2PS Y6, Y6
	VCVTDQ2PS Y7, Y7
	VFMADD231PS (AX), Y6, Y0
	VFMADD231PS 32(AX), Y7, Y1
	ADDQ $64, AX
	ADDQ $16, DI
	SUBQ $16, CX
	JMP sixteen

eight:
	CMPQ CX, $8
	JLT rest
	VPMOVSXBD (DI), Y6
	VCVTDQ2PS Y6, Y6
	VFMADD231PS (AX), Y6, Y0
	ADDQ $32, AX
	ADDQ $8, DI
	SUBQ $8, CX

rest: // one at a time: no mask of AVX2 is as narrow as a byte
	TESTQ CX, CX
	JZ done
	VXORPS X4, X4, X4

one:
	MOVBLSX (DI), BX
	VCVTSI2SSL BX, X4, X5
	VMOVSS (AX), X6
	VFMADD231SS X6, X5, X4
	ADDQ $4, AX
	INCQ DI
	DECQ CX
	JNZ one
	VADDPS Y4, Y1, Y1

done:
	VADDPS Y1, Y0, Y0
	SUM(Y0, X0)
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func axpyAVX2(y *float32, k float32, x *float32, n int)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-32
	MOVQ y+0(FP), AX
	VBROADCASTSS k+8(FP), Y0
	MOVQ x+16(FP), DI
	MOVQ n+24(FP), CX

sixteen:
	CMPQ CX, $16
	JLT eight
	VMOVUPS (AX), Y1
	VMOVUPS 32(AX), Y2
	VFMADD231PS (DI), Y0, Y1
	VFMADD231PS 32(DI), Y0, Y2
	VMOVUPS Y1, (AX)
	VMOVUPS Y2, 32(AX)
	ADDQ $64, AX
	ADDQ $64, DI
	SUBQ $16, CX
	JMP sixteen

eight:
	CMPQ CX, $8
	JLT rest
	VMOVUPS (AX), Y1
	VFMADD231PS (DI), Y0, Y1
	VMOVUPS Y1, (AX)
	ADDQ $32, AX
	ADDQ $32, DI
	SUBQ $8, CX

rest:
	TESTQ CX, CX
	JZ done
	MASK(Y4)
	VMASKMOVPS (AX), Y4, Y1
	VMASKMOVPS (DI), Y4, Y2
	VFMADD231PS Y2, Y0, Y1
	VMASKMOVPS Y1, Y4, (AX)

done:
	VZEROUPPER
	RET

// func axpyPlusAVX2(y *float32, k float32, x *float32, c float32, n int)
TEXT ·axpyPlusAVX2(SB), NOSPLIT, $0-40
	MOVQ y+0(FP), AX
	VBROADCASTSS k+8(FP), Y0
	MOVQ x+16(FP), DI
	VBROADCASTSS c+24(FP), Y5
	MOVQ n+32(FP), CX

sixteen:
	CMPQ CX, $16
	JLT eight
	VADDPS (AX), Y5, Y1
	VADDPS 32(AX), Y5, Y2
	VFMADD231PS (DI), Y0, Y1
	VFMADD231PS 32(DI), Y0, Y2
	VMOVUPS Y1, (AX)
	VMOVUPS Y2, 32(AX)
	ADDQ $64, AX
	ADDQ $64, DI
	SUBQ $16, CX
	JMP sixteen

eight:
	CMPQ CX, $8
	JLT rest
	VADDPS (AX), Y5, Y1
	VFMADD231PS (DI), Y0, Y1
	VMOVUPS Y1, (AX)
	ADDQ $32, AX
	ADDQ $32, DI
	SUBQ $8, CX

rest:
	TESTQ CX, CX
	JZ done
	MASK(Y4)
	VMASKMOVPS (AX), Y4, Y1
	VMASKMOVPS (DI), Y4, Y2
	VADDPS Y5, Y1, Y1
	VFMADD231PS Y2, Y0, Y1
	VMASKMOVPS Y1, Y4, (AX)

done:
	VZEROUPPER
	RET

// func momentsAVX2(x *float32, n int, sums *float64)
// Four at a time in float64; n is a multiple of 8. sums: Σx, Σx².
TEXT ·momentsAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), AX
	MOVQ n+8(FP), CX
	MOVQ sums+16(FP), DI
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3

eight:
	CMPQ CX, $8
	JLT done
	VCVTPS2PD (AX), Y4
	VCVTPS2PD 16(AX), Y5
	VADDPD Y4, Y0, Y0
	VADDPD Y5, Y1, Y1
	VFMADD231PD Y4, Y4, Y2
	VFMADD231PD Y5, Y5, Y3
	ADDQ $32, AX
	SUBQ $8, CX
	JMP eight

done:
	VADDPD Y1, Y0, Y0
	VADDPD Y3, Y2, Y2
	VEXTRACTF128 $1, Y0, X1
	VADDPD X1, X0, X0
	VEXTRACTF128 $1, Y2, X3
	VADDPD X3, X2, X2
	VHADDPD X0, X0, X0
	VHADDPD X2, X2, X2
	VMOVSD X0, (DI)
	VMOVSD X2, 8(DI)
	VZEROUPPER
	RET
