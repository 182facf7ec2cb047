#include "textflag.h"

DATA one64<>+0(SB)/8, $0x3ff0000000000000
GLOBL one64<>(SB), RODATA|NOPTR, $8

// Folds Y0's eight lanes into X0 and divides by X13, the number of values.
#define FOLD \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS X1, X0, X0 \
	VHADDPS X0, X0, X0 \
	VHADDPS X0, X0, X0 \
	VDIVSS X13, X0, X0

// func normalizeAVX2(row, scale, shift *float32, eights int, eps float32)
TEXT ·normalizeAVX2(SB), NOSPLIT, $0-36
	MOVQ row+0(FP), SI
	MOVQ scale+8(FP), R8
	MOVQ shift+16(FP), R9
	MOVQ eights+24(FP), CX
	VMOVSS eps+32(FP), X12
	MOVQ CX, AX
	SHLQ $3, AX
	VXORPS X13, X13, X13
	VCVTSI2SSQ AX, X13, X13

	VXORPS Y0, Y0, Y0
	MOVQ SI, DI
	MOVQ CX, DX

sum:
	VADDPS (DI), Y0, Y0
	ADDQ $32, DI
	DECQ DX
	JNZ sum
	FOLD
	VBROADCASTSS X0, Y14      // mean

	VXORPS Y0, Y0, Y0
	MOVQ SI, DI
	MOVQ CX, DX

squares:
	VMOVUPS (DI), Y2
	VSUBPS Y14, Y2, Y2
	VMULPS Y2, Y2, Y2
	VADDPS Y2, Y0, Y0
	ADDQ $32, DI
	DECQ DX
	JNZ squares
	FOLD
	VADDSS X12, X0, X0
	VCVTSS2SD X0, X0, X0
	VSQRTSD X0, X0, X0
	VMOVSD one64<>(SB), X1
	VDIVSD X0, X1, X0
	VCVTSD2SS X0, X0, X0
	VBROADCASTSS X0, Y15      // 1 / deviation

scale:
	VMOVUPS (SI), Y2
	VSUBPS Y14, Y2, Y2
	VMULPS Y15, Y2, Y2
	VMULPS (R8), Y2, Y2
	VADDPS (R9), Y2, Y2
	VMOVUPS Y2, (SI)
	ADDQ $32, SI
	ADDQ $32, R8
	ADDQ $32, R9
	DECQ CX
	JNZ scale
	VZEROUPPER
	RET
