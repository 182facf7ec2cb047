//go:build unix

package rabitq

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// region is a file of fixed-stride rows, mapped into memory and written in
// place. The write-ahead log makes that safe: whatever was written since the
// last snapshot is written again when the log is replayed.
type region struct {
	file   *os.File
	mapped []byte
}

// openRegion opens or makes the file at path.
func openRegion(path string) (*region, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &region{file: f}, nil
}

// grown returns a mapping of size bytes of the same file, made longer where it
// is shorter; its space is reserved, because a write to a mapped hole on a full
// disk would kill the process. The old mapping stays until it is released.
func (r *region) grown(size int) (*region, error) {
	stat, err := r.file.Stat()
	if err != nil {
		return nil, err
	}
	if have := stat.Size(); have < int64(size) {
		if err := reserve(r.file, have, int64(size)-have); err != nil {
			return nil, fmt.Errorf("reserve %d bytes of %s: %w", size, r.file.Name(), err)
		}
	}
	mapped, err := unix.Mmap(int(r.file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of %s: %w", size, r.file.Name(), err)
	}
	return &region{file: r.file, mapped: mapped}, nil
}

// release unmaps; nobody may read it any more.
func (r *region) release() error {
	if r.mapped == nil {
		return nil
	}
	mapped := r.mapped
	r.mapped = nil
	return unix.Munmap(mapped)
}

// sync makes what was written durable.
func (r *region) sync() error {
	if r.mapped != nil {
		if err := unix.Msync(r.mapped, unix.MS_SYNC); err != nil {
			return fmt.Errorf("sync %s: %w", r.file.Name(), err)
		}
	}
	return r.file.Sync() // the length too
}
