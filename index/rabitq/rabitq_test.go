package rabitq

import (
	"log/slog"
	"testing"

	"upnext/index"
	"upnext/index/indextest"
)

func TestCollections(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) {
			indextest.Test(t, func(t *testing.T) index.Collections {
				c := opened(t, t.TempDir())
				c.kernel = k
				return c
			})
		})
	}
}

// opened opens collections and closes them after the test.
func opened(t testing.TB, dir string) *Collections {
	t.Helper()
	c, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}
