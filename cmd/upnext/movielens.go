package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"time"

	"upnext"
)

// dataSet is a data set that its makers offer for download.
type dataSet struct {
	url  string
	sums map[string]string // SHA-256 of the files that are taken from the archive
}

// smallMovieLens is MovieLens 100K. GroupLens offers it for research; it may
// not be passed on, so it is fetched and never shipped.
var smallMovieLens = dataSet{
	url: "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
	sums: map[string]string{
		"u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
		"u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
	},
}

// maxArchive is the longest archive that is fetched, in bytes.
const maxArchive = 64 << 20

// fetchMovieLens downloads the set into dir and returns the folder of its
// files. What is there already and whole is not fetched again.
func fetchMovieLens(ctx context.Context, set dataSet, dir string, b *bars) (string, error) {
	if set.check(dir) == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "archive.zip")
	if err := download(ctx, set.url, archive, b); err != nil {
		return "", fmt.Errorf("download %s: %w\nwithout a network: get that file elsewhere, unpack it and run: upnext demo --movielens FOLDER", set.url, err)
	}
	defer os.Remove(archive)
	if err := set.unpack(archive, dir); err != nil {
		return "", fmt.Errorf("unpack %s: %w", set.url, err)
	}
	return dir, set.check(dir)
}

func download(ctx context.Context, url, to string, b *bars) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", resp.Status, upnext.ErrUnavailable)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	shown := b.add("downloading (bytes)", max(resp.ContentLength, 1))
	n, err := io.Copy(f, io.TeeReader(io.LimitReader(resp.Body, maxArchive+1), counter{shown}))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && n > maxArchive {
		err = fmt.Errorf("longer than %d bytes: %w", maxArchive, upnext.ErrInvalid)
	}
	return err
}

// counter moves a bar by what is written to it.
type counter struct{ bar *bar }

func (c counter) Write(p []byte) (int, error) {
	c.bar.add(int64(len(p)))
	return len(p), nil
}

// unpack writes the files that the set names, whatever folder they are in.
func (d dataSet) unpack(archive, dir string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		name := path.Base(f.Name)
		if d.sums[name] == "" {
			continue
		}
		if err := unpackFile(f, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func unpackFile(f *zip.File, to string) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxArchive))
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

// check compares each file with its sum.
func (d dataSet) check(dir string) error {
	for name, want := range d.sums {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			return fmt.Errorf("%s: SHA-256 %s, want %s: %w", name, got, want, upnext.ErrInvalid)
		}
	}
	return nil
}
