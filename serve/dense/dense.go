// Package dense has what stands in for a map where keys are dense numbers.
package dense

import (
	"sync"
	"sync/atomic"
)

// Table holds a number for each of many, 0 where none was set. It grows as it is
// written to, and readers do not wait. The zero value is empty.
type Table struct {
	mu sync.Mutex // of who writes
	of atomic.Pointer[[]atomic.Int32]
}

// Get returns the number at a place that is not negative.
func (t *Table) Get(at int32) int32 {
	if list := t.of.Load(); list != nil && int(at) < len(*list) {
		return (*list)[at].Load()
	}
	return 0
}

// Set sets it.
func (t *Table) Set(at, to int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.of.Load()
	if list == nil || int(at) >= len(*list) {
		longer := make([]atomic.Int32, max(1024, int(at)+int(at)/2+1))
		if list != nil {
			for i := range *list {
				longer[i].Store((*list)[i].Load())
			}
		}
		list = &longer
		t.of.Store(list)
	}
	(*list)[at].Store(to)
}
