//go:build !amd64

package rabitq

// kernels returns the forms that this processor runs, the best one first.
func kernels() []kernel { return []kernel{plain()} }
