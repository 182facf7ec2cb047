#include "textflag.h"

// As gemm_avx2_amd64.s, with 32 columns and up to 12 rows a tile: 24 registers
// of sums, 6 that A's numbers take turns in. K1 and K2 mask the columns. No
// legacy SSE instruction may stand between these: it costs a change of state,
// which made such a kernel 20 times slower.
//
// AX, R12, R13, R14: A's rows 0, 3, 6, 9; else as there.
#define ARGUMENTS \
	MOVQ t+0(FP), SI \
	MOVQ 0(SI), AX \
	MOVQ 8(SI), BX \
	MOVQ 16(SI), DX \
	MOVQ 40(SI), DI \
	KMOVW DI, K1 \
	SHRQ $16, DI \
	KMOVW DI, K2 \
	MOVQ 48(SI), CX \
	MOVQ 56(SI), R8 \
	MOVQ 64(SI), R9 \
	MOVQ 72(SI), R10 \
	MOVQ 80(SI), R11 \
	MOVQ 88(SI), SI \
	LEAQ (R8)(R8*2), DI \
	LEAQ (AX)(DI*1), R12 \
	LEAQ (R12)(DI*1), R13 \
	LEAQ (R13)(DI*1), R14 \
	MOVQ DX, DI \
	TESTQ SI, SI

#define ZERO(p, q) \
	VPXORD p, p, p \
	VPXORD q, q, q

#define LOAD(p, q) \
	VMOVUPS.Z (DI), K1, p \
	VMOVUPS.Z 64(DI), K2, q \
	ADDQ R11, DI

#define STORE(p, q) \
	VMOVUPS p, K1, (DX) \
	VMOVUPS q, K2, 64(DX) \
	ADDQ R11, DX

#define COLUMNS \
	VMOVUPS.Z (BX), K1, Z0 \
	VMOVUPS.Z 64(BX), K2, Z1 \
	ADDQ R10, BX

#define ROW(at, r, p, q) \
	VBROADCASTSS at, r \
	VFMADD231PS Z0, r, p \
	VFMADD231PS Z1, r, q

#define NEXT \
	ADDQ R9, AX \
	ADDQ R9, R12 \
	ADDQ R9, R13 \
	ADDQ R9, R14 \
	DECQ CX

// func tile12x32(t *tile)
TEXT ·tile12x32(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Z8, Z9)
	LOAD(Z10, Z11)
	LOAD(Z12, Z13)
	LOAD(Z14, Z15)
	LOAD(Z16, Z17)
	LOAD(Z18, Z19)
	LOAD(Z20, Z21)
	LOAD(Z22, Z23)
	LOAD(Z24, Z25)
	LOAD(Z26, Z27)
	LOAD(Z28, Z29)
	LOAD(Z30, Z31)
	JMP step

zero:
	ZERO(Z8, Z9)
	ZERO(Z10, Z11)
	ZERO(Z12, Z13)
	ZERO(Z14, Z15)
	ZERO(Z16, Z17)
	ZERO(Z18, Z19)
	ZERO(Z20, Z21)
	ZERO(Z22, Z23)
	ZERO(Z24, Z25)
	ZERO(Z26, Z27)
	ZERO(Z28, Z29)
	ZERO(Z30, Z31)

step:
	COLUMNS
	ROW((AX), Z2, Z8, Z9)
	ROW((AX)(R8*1), Z3, Z10, Z11)
	ROW((AX)(R8*2), Z4, Z12, Z13)
	ROW((R12), Z5, Z14, Z15)
	ROW((R12)(R8*1), Z6, Z16, Z17)
	ROW((R12)(R8*2), Z7, Z18, Z19)
	ROW((R13), Z2, Z20, Z21)
	ROW((R13)(R8*1), Z3, Z22, Z23)
	ROW((R13)(R8*2), Z4, Z24, Z25)
	ROW((R14), Z5, Z26, Z27)
	ROW((R14)(R8*1), Z6, Z28, Z29)
	ROW((R14)(R8*2), Z7, Z30, Z31)
	NEXT
	JNZ step
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)
	STORE(Z24, Z25)
	STORE(Z26, Z27)
	STORE(Z28, Z29)
	STORE(Z30, Z31)
	VZEROUPPER
	RET

// func tile8x32(t *tile)
TEXT ·tile8x32(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Z8, Z9)
	LOAD(Z10, Z11)
	LOAD(Z12, Z13)
	LOAD(Z14, Z15)
	LOAD(Z16, Z17)
	LOAD(Z18, Z19)
	LOAD(Z20, Z21)
	LOAD(Z22, Z23)
	JMP step

zero:
	ZERO(Z8, Z9)
	ZERO(Z10, Z11)
	ZERO(Z12, Z13)
	ZERO(Z14, Z15)
	ZERO(Z16, Z17)
	ZERO(Z18, Z19)
	ZERO(Z20, Z21)
	ZERO(Z22, Z23)

step:
	COLUMNS
	ROW((AX), Z2, Z8, Z9)
	ROW((AX)(R8*1), Z3, Z10, Z11)
	ROW((AX)(R8*2), Z4, Z12, Z13)
	ROW((R12), Z5, Z14, Z15)
	ROW((R12)(R8*1), Z6, Z16, Z17)
	ROW((R12)(R8*2), Z7, Z18, Z19)
	ROW((R13), Z2, Z20, Z21)
	ROW((R13)(R8*1), Z3, Z22, Z23)
	NEXT
	JNZ step
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)
	VZEROUPPER
	RET

// func tile4x32(t *tile)
TEXT ·tile4x32(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Z8, Z9)
	LOAD(Z10, Z11)
	LOAD(Z12, Z13)
	LOAD(Z14, Z15)
	JMP step

zero:
	ZERO(Z8, Z9)
	ZERO(Z10, Z11)
	ZERO(Z12, Z13)
	ZERO(Z14, Z15)

step:
	COLUMNS
	ROW((AX), Z2, Z8, Z9)
	ROW((AX)(R8*1), Z3, Z10, Z11)
	ROW((AX)(R8*2), Z4, Z12, Z13)
	ROW((R12), Z5, Z14, Z15)
	NEXT
	JNZ step
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	VZEROUPPER
	RET

// func tile2x32(t *tile)
TEXT ·tile2x32(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Z8, Z9)
	LOAD(Z10, Z11)
	JMP step

zero:
	ZERO(Z8, Z9)
	ZERO(Z10, Z11)

step:
	COLUMNS
	ROW((AX), Z2, Z8, Z9)
	ROW((AX)(R8*1), Z3, Z10, Z11)
	NEXT
	JNZ step
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	VZEROUPPER
	RET

// func tile1x32(t *tile)
TEXT ·tile1x32(SB), NOSPLIT, $0-8
	ARGUMENTS
	JZ zero
	LOAD(Z8, Z9)
	JMP step

zero:
	ZERO(Z8, Z9)

step:
	COLUMNS
	ROW((AX), Z2, Z8, Z9)
	NEXT
	JNZ step
	STORE(Z8, Z9)
	VZEROUPPER
	RET
