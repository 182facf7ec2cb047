//go:build !unix

package rabitq

import (
	"io"
	"os"
)

// region is a file of fixed-stride rows, held in memory where the system has
// no mappings that golang.org/x/sys offers, and written back whole by sync. The
// write-ahead log makes writing in place safe, as on unix.
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

// grown returns size bytes that begin as r's; r stays until it is released.
func (r *region) grown(size int) (*region, error) {
	stat, err := r.file.Stat()
	if err != nil {
		return nil, err
	}
	have := stat.Size()
	if have < int64(size) {
		if err := reserve(r.file, have, int64(size)-have); err != nil {
			return nil, err
		}
	}
	next := &region{file: r.file, mapped: make([]byte, size)}
	if r.mapped != nil {
		copy(next.mapped, r.mapped)
		return next, nil
	}
	if _, err := r.file.ReadAt(next.mapped, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return next, nil
}

// release lets the memory go; nobody may read it any more.
func (r *region) release() error {
	r.mapped = nil
	return nil
}

// sync makes what was written durable.
func (r *region) sync() error {
	if _, err := r.file.WriteAt(r.mapped, 0); err != nil {
		return err
	}
	return r.file.Sync()
}
