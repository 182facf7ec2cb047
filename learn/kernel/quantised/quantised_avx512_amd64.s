#include "go_asm.h"
#include "textflag.h"

// The two loops in AVX-512 with VNNI. A gather fetches the next row into the
// cache while it multiplies this one: that is most of its speed.

// func gatherAVX512(q *int8, rows *byte, ids *uint32, n, stride int, out *int32)
TEXT ·gatherAVX512(SB), NOSPLIT, $0-48
	MOVQ q+0(FP), SI
	MOVQ rows+8(FP), DI
	MOVQ ids+16(FP), R8
	MOVQ n+24(FP), R9
	MOVQ stride+32(FP), R10
	MOVQ out+40(FP), R11
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
	VPXORQ Z0, Z0, Z0
	XORQ R13, R13
inner:
	VMOVDQU8 (BX)(R13*1), Z4
	PREFETCHT0 (DX)(R13*1)
	VPDPBUSD (SI)(R13*1), Z4, Z0
	ADDQ $64, R13
	CMPQ R13, R10
	JLT  inner
	VEXTRACTI64X4 $1, Z0, Y1
	VPADDD Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPSHUFD $0x4E, X0, X1
	VPADDD X1, X0, X0
	VPSHUFD $0xB1, X0, X1
	VPADDD X1, X0, X0
	VMOVD X0, (R11)
	ADDQ $4, R11
	ADDQ $4, R8
	MOVQ DX, BX
	DECQ R9
	JNZ  row
	VZEROUPPER
done:
	RET

// func scanAVX512(q *int8, rows *byte, n, stride int, out *int32)
// Four rows at a time share each load of the query.
TEXT ·scanAVX512(SB), NOSPLIT, $0-40
	MOVQ q+0(FP), SI
	MOVQ rows+8(FP), BX
	MOVQ n+16(FP), R9
	MOVQ stride+24(FP), R10
	MOVQ out+32(FP), R11
	TESTQ R9, R9
	JZ   done
row:
	LEAQ (BX)(R10*1), CX
	LEAQ (CX)(R10*1), DX
	LEAQ (DX)(R10*1), DI
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	XORQ R13, R13
inner:
	VMOVDQU8 (SI)(R13*1), Z4
	VMOVDQU8 (BX)(R13*1), Z5
	VMOVDQU8 (CX)(R13*1), Z6
	VMOVDQU8 (DX)(R13*1), Z7
	VMOVDQU8 (DI)(R13*1), Z8
	VPDPBUSD Z4, Z5, Z0
	VPDPBUSD Z4, Z6, Z1
	VPDPBUSD Z4, Z7, Z2
	VPDPBUSD Z4, Z8, Z3
	PREFETCHT0 3072(BX)(R13*1)
	PREFETCHT0 3072(CX)(R13*1)
	PREFETCHT0 3072(DX)(R13*1)
	PREFETCHT0 3072(DI)(R13*1)
	ADDQ $64, R13
	CMPQ R13, R10
	JLT  inner
	VEXTRACTI64X4 $1, Z0, Y9
	VPADDD Y9, Y0, Y0
	VEXTRACTI64X4 $1, Z1, Y9
	VPADDD Y9, Y1, Y1
	VEXTRACTI64X4 $1, Z2, Y9
	VPADDD Y9, Y2, Y2
	VEXTRACTI64X4 $1, Z3, Y9
	VPADDD Y9, Y3, Y3
	VPHADDD Y1, Y0, Y0
	VPHADDD Y3, Y2, Y2
	VPHADDD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VMOVDQU X0, (R11)
	ADDQ $16, R11
	LEAQ (DI)(R10*1), BX
	SUBQ $4, R9
	JNZ  row
	VZEROUPPER
done:
	RET
