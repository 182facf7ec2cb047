package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/blobtest"
	"upnext/infra/blob/dir"
)

func open(t testing.TB) blob.Store {
	s, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { blobtest.Test(t, func(t *testing.T) blob.Store { return open(t) }) }

func BenchmarkStore(b *testing.B) {
	blobtest.Bench(b, func(b *testing.B) blob.Store { return open(b) })
}

// TestHalfWritten holds a crash's leavings against a fresh opening.
func TestHalfWritten(t *testing.T) {
	path := t.TempDir()
	if _, err := dir.Open(path); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(path, ".tmp", "half")
	if err := os.WriteFile(left, []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half written file: %v, want it gone", err)
	}
	for info, err := range s.List(t.Context(), "", "") {
		t.Errorf("listed %v, %v, want nothing", info, err)
	}
}

// TestSymlinkOutside checks that a link planted in the folder leads nowhere.
func TestSymlinkOutside(t *testing.T) {
	path, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Open(t.Context(), "link", 0); err == nil {
		r.Close()
		t.Error("a link out of the folder was followed")
	}
}

func TestKeyThatIsAFolder(t *testing.T) {
	s := open(t)
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a", strings.NewReader("2")); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("put a key that is a folder: %v, want ErrConflict", err)
	}
}

// TestPutBesideDelete: whatever a Delete of the same key takes away between the
// steps of a Put, its folder too, the Put succeeds.
func TestPutBesideDelete(t *testing.T) {
	s := open(t)
	var deleting sync.WaitGroup
	ended := make(chan struct{})
	for range 2 {
		deleting.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := s.Delete(t.Context(), "a/b/c"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 1000 {
		if _, err := s.Put(t.Context(), "a/b/c", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	close(ended)
	deleting.Wait()
}
