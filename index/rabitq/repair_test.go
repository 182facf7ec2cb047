package rabitq

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"upnext"
)

// TestRepair moves what is damaged aside, and that alone.
func TestRepair(t *testing.T) {
	dir, logger := t.TempDir(), slog.New(slog.DiscardHandler)
	open := func() *Collections {
		t.Helper()
		c, err := Open(dir, logger)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open()
	for _, name := range []string{"whole", "broken"} {
		x, err := c.Create(t.Context(), "acme", name, testSpec)
		if err == nil {
			err = x.Upsert(t.Context(), entry(1, 1))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Promote(t.Context(), "acme", "broken"), c.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "acme", "broken", specFile), []byte("{"))
	c = open()
	if _, err := Repair(dir, time.Now(), logger); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("repair of an open index: %v, want an ErrConflict", err)
	}
	if _, err := c.List(t.Context(), "acme"); !errors.Is(err, ErrDamaged) || !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("list of a damaged index: %v, want an ErrDamaged", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	aside, err := Repair(dir, time.Unix(0, 0), logger)
	if want := filepath.Join(dir, "acme", "broken.damaged-19700101T000000Z"); err != nil || len(aside) != 1 || aside[0] != want {
		t.Fatalf("repair: %v, %v, want %s", aside, err, want)
	}
	if again, err := Repair(dir, time.Unix(0, 0), logger); err != nil || len(again) != 0 {
		t.Errorf("second repair: %v, %v, want nothing to do", again, err)
	}
	c = open()
	defer c.Close()
	list, err := c.List(t.Context(), "acme")
	if err != nil || len(list) != 1 || list[0].Name != "whole" || list[0].Len != 1 || list[0].Promoted {
		t.Errorf("list after the repair: %+v, %v, want the whole one, not promoted", list, err)
	}
	if _, _, err := c.Active(t.Context(), "acme"); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("active after the repair: %v, want an ErrNotFound", err)
	}
}

// TestRefusalIsNoDamage keeps a collection that the system would not open.
func TestRefusalIsNoDamage(t *testing.T) {
	refused := &fs.PathError{Op: "open", Path: "rows.u8", Err: syscall.EMFILE}
	if err := damage(refused); errors.Is(err, ErrDamaged) {
		t.Errorf("too many open files: %v, want no ErrDamaged", err)
	}
}
