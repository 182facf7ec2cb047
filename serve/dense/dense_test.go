package dense

import (
	"sync"
	"testing"
)

// TestTable: what was set is read, by many at once, and what was not is 0.
func TestTable(t *testing.T) {
	var table Table
	if table.Get(7) != 0 {
		t.Error("an empty one has something")
	}
	var setting sync.WaitGroup
	const each, setters = 5000, 4
	for s := range setters {
		setting.Go(func() {
			for i := range each {
				at := int32(i*setters + s)
				table.Set(at, at+1)
				if got := table.Get(at); got != at+1 {
					t.Errorf("at %d: %d, want %d", at, got, at+1)
				}
			}
		})
	}
	setting.Wait()
	for at := range int32(each * setters) {
		if got := table.Get(at); got != at+1 {
			t.Fatalf("at %d: %d, want %d", at, got, at+1)
		}
	}
	if got := table.Get(10_000_000); got != 0 {
		t.Errorf("far out: %d", got)
	}
}
