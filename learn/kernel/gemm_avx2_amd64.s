#include "textflag.h"

// A tile keeps its sums in registers, two of 8 columns a row, while it walks
// down the depth: per step it loads 16 columns of B and broadcasts one number
// of A for each row.
//
// AX: A's row 0, R12: its row 3, R8: from row to row, R9: from step to step;
// BX: B, R10: from step to step; DX: C, R11: from row to row; CX: steps left;
// R13, R14: the masks.
#define ARGUMENTS \
	MOVQ t+0(FP), SI \
	MOVQ 0(SI), AX \
	MOVQ 8(SI), BX \
	MOVQ 16(SI), DX \
	MOVQ 24(SI), R13 \
	MOVQ 32(SI), R14 \
	MOVQ 48(SI), CX \
	MOVQ 56(SI), R8 \
	MOVQ 64(SI), R9 \
	MOVQ 72(SI), R10 \
	MOVQ 80(SI), R11 \
	MOVQ 88(SI), SI \
	LEAQ (R8)(R8*2), DI \
	LEAQ (AX)(DI*1), R12 \
	MOVQ DX, DI \
	TESTQ SI, SI

#define ZERO(p, q) \
	VXORPS p, p, p \
	VXORPS q, q, q

#define LOAD(p, q) \
	VMOVUPS (DI), p \
	VMOVUPS 32(DI), q \
	ADDQ R11, DI

#define STORE(p, q) \
	VMOVUPS p, (DX) \
	VMOVUPS q, 32(DX) \
	ADDQ R11, DX

#define LOADMASKED(p, q) \
	VMASKMOVPS (DI), Y2, p \
	VMASKMOVPS 32(DI), Y3, q \
	ADDQ R11, DI

#define STOREMASKED(p, q) \
	VMASKMOVPS p, Y2, (DX) \
	VMASKMOVPS q, Y3, 32(DX) \
	ADDQ R11, DX

// The masks share Y2 and Y3 with A's numbers: all others hold sums.
#define MASKS \
	VMOVUPS (R13), Y2 \
	VMOVUPS (R14), Y3

#define COLUMNS \
	MASKS \
	VMASKMOVPS (BX), Y2, Y0 \
	VMASKMOVPS 32(BX), Y3, Y1 \
	ADDQ R10, BX

#define ROW(at, r, p, q) \
	VBROADCASTSS at, r \
	VFMADD231PS Y0, r, p \
	VFMADD231PS Y1, r, q

#define NEXT \
	ADDQ R9, AX \
	ADDQ R9, R12 \
	DECQ CX

// func tile6x16(t *tile)
TEXT ·tile6x16(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Y4, Y5)
	LOAD(Y6, Y7)
	LOAD(Y8, Y9)
	LOAD(Y10, Y11)
	LOAD(Y12, Y13)
	LOAD(Y14, Y15)
	JMP step

zero:
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)
	ZERO(Y8, Y9)
	ZERO(Y10, Y11)
	ZERO(Y12, Y13)
	ZERO(Y14, Y15)

step:
	VMOVUPS (BX), Y0
	VMOVUPS 32(BX), Y1
	ADDQ R10, BX
	ROW((AX), Y2, Y4, Y5)
	ROW((AX)(R8*1), Y3, Y6, Y7)
	ROW((AX)(R8*2), Y2, Y8, Y9)
	ROW((R12), Y3, Y10, Y11)
	ROW((R12)(R8*1), Y2, Y12, Y13)
	ROW((R12)(R8*2), Y3, Y14, Y15)
	NEXT
	JNZ step
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	STORE(Y12, Y13)
	STORE(Y14, Y15)
	VZEROUPPER
	RET

// func tile6x16masked(t *tile)
TEXT ·tile6x16masked(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	MASKS
	LOADMASKED(Y4, Y5)
	LOADMASKED(Y6, Y7)
	LOADMASKED(Y8, Y9)
	LOADMASKED(Y10, Y11)
	LOADMASKED(Y12, Y13)
	LOADMASKED(Y14, Y15)
	JMP step

zero:
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)
	ZERO(Y8, Y9)
	ZERO(Y10, Y11)
	ZERO(Y12, Y13)
	ZERO(Y14, Y15)

step:
	COLUMNS
	ROW((AX), Y2, Y4, Y5)
	ROW((AX)(R8*1), Y3, Y6, Y7)
	ROW((AX)(R8*2), Y2, Y8, Y9)
	ROW((R12), Y3, Y10, Y11)
	ROW((R12)(R8*1), Y2, Y12, Y13)
	ROW((R12)(R8*2), Y3, Y14, Y15)
	NEXT
	JNZ step
	MASKS
	STOREMASKED(Y4, Y5)
	STOREMASKED(Y6, Y7)
	STOREMASKED(Y8, Y9)
	STOREMASKED(Y10, Y11)
	STOREMASKED(Y12, Y13)
	STOREMASKED(Y14, Y15)
	VZEROUPPER
	RET

// func tile4x16masked(t *tile)
TEXT ·tile4x16masked(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	MASKS
	LOADMASKED(Y4, Y5)
	LOADMASKED(Y6, Y7)
	LOADMASKED(Y8, Y9)
	LOADMASKED(Y10, Y11)
	JMP step

zero:
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)
	ZERO(Y8, Y9)
	ZERO(Y10, Y11)

step:
	COLUMNS
	ROW((AX), Y2, Y4, Y5)
	ROW((AX)(R8*1), Y3, Y6, Y7)
	ROW((AX)(R8*2), Y12, Y8, Y9)
	ROW((R12), Y13, Y10, Y11)
	NEXT
	JNZ step
	MASKS
	STOREMASKED(Y4, Y5)
	STOREMASKED(Y6, Y7)
	STOREMASKED(Y8, Y9)
	STOREMASKED(Y10, Y11)
	VZEROUPPER
	RET

// func tile2x16masked(t *tile)
TEXT ·tile2x16masked(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	MASKS
	LOADMASKED(Y4, Y5)
	LOADMASKED(Y6, Y7)
	JMP step

zero:
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)

step:
	COLUMNS
	ROW((AX), Y8, Y4, Y5)
	ROW((AX)(R8*1), Y9, Y6, Y7)
	NEXT
	JNZ step
	MASKS
	STOREMASKED(Y4, Y5)
	STOREMASKED(Y6, Y7)
	VZEROUPPER
	RET

// func tile1x16masked(t *tile)
TEXT ·tile1x16masked(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	MASKS
	LOADMASKED(Y4, Y5)
	JMP step

zero:
	ZERO(Y4, Y5)

step:
	COLUMNS
	ROW((AX), Y8, Y4, Y5)
	NEXT
	JNZ step
	MASKS
	STOREMASKED(Y4, Y5)
	VZEROUPPER
	RET

// A single row has no B to share: 64 columns at a time keep as many sums under
// way as the multiplier takes.
//
// func tile1x64(t *tile)
TEXT ·tile1x64(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	VMOVUPS (DX), Y4
	VMOVUPS 32(DX), Y5
	VMOVUPS 64(DX), Y6
	VMOVUPS 96(DX), Y7
	VMOVUPS 128(DX), Y8
	VMOVUPS 160(DX), Y9
	VMOVUPS 192(DX), Y10
	VMOVUPS 224(DX), Y11
	JMP step

zero:
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)
	ZERO(Y8, Y9)
	ZERO(Y10, Y11)

step:
	VBROADCASTSS (AX), Y2
	VFMADD231PS (BX), Y2, Y4
	VFMADD231PS 32(BX), Y2, Y5
	VFMADD231PS 64(BX), Y2, Y6
	VFMADD231PS 96(BX), Y2, Y7
	VFMADD231PS 128(BX), Y2, Y8
	VFMADD231PS 160(BX), Y2, Y9
	VFMADD231PS 192(BX), Y2, Y10
	VFMADD231PS 224(BX), Y2, Y11
	ADDQ R10, BX
	NEXT
	JNZ step
	VMOVUPS Y4, (DX)
	VMOVUPS Y5, 32(DX)
	VMOVUPS Y6, 64(DX)
	VMOVUPS Y7, 96(DX)
	VMOVUPS Y8, 128(DX)
	VMOVUPS Y9, 160(DX)
	VMOVUPS Y10, 192(DX)
	VMOVUPS Y11, 224(DX)
	VZEROUPPER
	RET
