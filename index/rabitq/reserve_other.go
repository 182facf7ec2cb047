//go:build !linux

package rabitq

import "os"

// reserve lengthens f from offset by count bytes that have their place on the
// disk.
func reserve(f *os.File, offset, count int64) error { return writeZeros(f, offset, count) }
