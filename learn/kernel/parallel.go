package kernel

import "sync"

// Parallel calls do for [0, n) cut into at most workers pieces, at once, and
// waits. The cuts depend on the arguments alone and fall on multiples of
// grain, so that what is summed within a piece repeats to the bit.
func Parallel(workers, n, grain int, do func(piece, from, to int)) {
	grain = max(grain, 1)
	grains := (n + grain - 1) / grain
	workers = max(1, min(workers, grains))
	var group sync.WaitGroup
	for p := 1; p < workers; p++ {
		group.Go(func() { do(p, grains*p/workers*grain, min(n, grains*(p+1)/workers*grain)) })
	}
	do(0, 0, min(n, grains/workers*grain))
	group.Wait()
}

// ParallelGemm is Gemm with C's rows divided among workers; its result is
// Gemm's to the bit.
func (l Level) ParallelGemm(workers, rows, columns, depth int, a, b, c Matrix, add bool) {
	if rows <= 0 {
		return
	}
	Parallel(workers, rows, 12, func(_, from, to int) {
		l.Gemm(to-from, columns, depth, a.At(from, 0), b, c.At(from, 0), add)
	})
}
