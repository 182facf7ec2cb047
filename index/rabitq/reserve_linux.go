package rabitq

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve lengthens f from offset by count bytes that have their place on the
// disk.
func reserve(f *os.File, offset, count int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, offset, count)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return writeZeros(f, offset, count)
	}
	return err
}
