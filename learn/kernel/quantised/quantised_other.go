//go:build !amd64

package quantised

// Kernels returns the forms that this processor runs, the best one first.
func Kernels() []Kernel { return []Kernel{Plain()} }
