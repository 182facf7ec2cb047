package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
)

// offered serves an archive with one file and counts how often it is asked for.
func offered(t *testing.T, content string) (dataSet, *int) {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("ml-100k/u.item")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if w, err = z.Create("../escape.txt"); err == nil {
		_, err = w.Write([]byte("no"))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	asked := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		_, _ = w.Write(archive.Bytes())
	}))
	t.Cleanup(s.Close)
	sum := sha256.Sum256([]byte("films"))
	return dataSet{url: s.URL, sums: map[string]string{"u.item": hex.EncodeToString(sum[:])}}, asked
}

func TestFetchMovieLens(t *testing.T) {
	set, asked := offered(t, "films")
	dir := filepath.Join(t.TempDir(), "set")
	for range 2 {
		got, err := fetchMovieLens(t.Context(), set, dir, newBars(t.Output()))
		if err != nil || got != dir {
			t.Fatalf("fetched %q, %v, want %q", got, err, dir)
		}
	}
	if *asked != 1 {
		t.Errorf("asked %d times, want once", *asked)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "u.item" {
		t.Errorf("left %v, %v, want u.item alone", entries, err)
	}
}

func TestFetchMovieLensTampered(t *testing.T) {
	set, _ := offered(t, "other films")
	if _, err := fetchMovieLens(t.Context(), set, t.TempDir(), newBars(t.Output())); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "u.item") {
		t.Errorf("a file with another sum: %v, want ErrInvalid that names it", err)
	}
}

func TestFetchMovieLensWithoutNetwork(t *testing.T) {
	set, _ := offered(t, "films")
	set.url = "http://127.0.0.1:1/none.zip"
	if _, err := fetchMovieLens(t.Context(), set, t.TempDir(), newBars(t.Output())); err == nil || !strings.Contains(err.Error(), "without a network") {
		t.Errorf("no network: %v, want what to do then", err)
	}
}
