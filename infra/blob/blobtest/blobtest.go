// Package blobtest says, as code, what every blob.Store promises.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"upnext"
	"upnext/infra/blob"
)

// Test runs the suite; open returns an empty store each time.
func Test(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, check := range map[string]func(*testing.T, blob.Store){
		"put and open": putAndOpen, "replace": replace, "missing": missing, "bad keys": badKeys, "odd keys": oddKeys,
		"list": list, "a broken reader": brokenReader, "cancelled": cancelled, "at once": atOnce, "come and go": comeAndGo, "ranges": ranges,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

func put(t testing.TB, s blob.Store, key, content string) blob.Info {
	t.Helper()
	info, err := s.Put(context.Background(), key, strings.NewReader(content))
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return info
}

func read(t testing.TB, s blob.Store, key string) (string, blob.Info) {
	t.Helper()
	r, info, err := s.Open(context.Background(), key, 0)
	if err != nil {
		t.Fatalf("open %q: %v", key, err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	return string(content), info
}

func keys(t testing.TB, s blob.Store, prefix, after string) []string {
	t.Helper()
	var all []string
	for info, err := range s.List(context.Background(), prefix, after) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		all = append(all, info.Key)
	}
	return all
}

func putAndOpen(t *testing.T, s blob.Store) {
	info := put(t, s, "tenant/a/b.txt", "hello")
	if info.Key != "tenant/a/b.txt" || info.Size != 5 || info.ETag == "" || info.Modified.IsZero() {
		t.Errorf("put told %+v, want key, size 5, ETag and time", info)
	}
	got, opened := read(t, s, "tenant/a/b.txt")
	if got != "hello" || opened != info {
		t.Errorf("opened %q %+v, want hello %+v", got, opened, info)
	}
	if stat, err := s.Stat(t.Context(), "tenant/a/b.txt"); err != nil || stat != info {
		t.Errorf("stat %+v %v, want %+v", stat, err, info)
	}
	if got, _ := read(t, s, put(t, s, "empty", "").Key); got != "" {
		t.Errorf("empty object holds %q", got)
	}
}

func replace(t *testing.T, s blob.Store) {
	first, second := put(t, s, "k", "one"), put(t, s, "k", "two")
	if first.ETag == second.ETag {
		t.Errorf("ETag %s stayed though the content changed", first.ETag)
	}
	if got, _ := read(t, s, "k"); got != "two" {
		t.Errorf("got %q, want two", got)
	}
	if got := keys(t, s, "", ""); !slices.Equal(got, []string{"k"}) {
		t.Errorf("listed %v, want k once", got)
	}
}

func missing(t *testing.T, s blob.Store) {
	if _, _, err := s.Open(t.Context(), "no", 0); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("open: %v, want ErrNotFound", err)
	}
	if _, err := s.Stat(t.Context(), "no/such"); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("stat: %v, want ErrNotFound", err)
	}
	if err := s.Delete(t.Context(), "no"); err != nil {
		t.Errorf("delete what is not there: %v, want nil", err)
	}
	put(t, s, "a/b", "1")
	for _, k := range []string{"a", "a/b/c"} {
		if _, err := s.Stat(t.Context(), k); !errors.Is(err, upnext.ErrNotFound) {
			t.Errorf("stat %s: %v, want ErrNotFound", k, err)
		}
		if err := s.Delete(t.Context(), k); err != nil {
			t.Errorf("delete %s: %v, want nil", k, err)
		}
	}
	if err := s.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, s, "", ""); len(got) != 0 {
		t.Errorf("listed %v after the last was deleted", got)
	}
	put(t, s, "a", "a key that was the folder of another")
}

func badKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{"", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\x00b", "\xff\xfe", strings.Repeat("x", 2000), strings.Repeat("x/", 600) + "x"} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x")); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("put %.40q: %v, want ErrInvalid", key, err)
		}
		if _, err := s.Stat(t.Context(), key); err == nil {
			t.Errorf("stat %.40q succeeded", key)
		}
	}
}

func oddKeys(t *testing.T, s blob.Store) {
	want := []string{"a b", "a%20b", "a%2fb", `back\slash`, "colon:star*quote\"", "UPPER", "upper", "猫/狗.jpg", ".hidden", ".tmp/x", "e\u0301", "é", "tab\tkey", "trailing.", "CON"}
	for _, k := range want {
		put(t, s, k, k)
	}
	for _, k := range want {
		if got, _ := read(t, s, k); got != k {
			t.Errorf("key %q holds %q", k, got)
		}
	}
	slices.Sort(want)
	if got := keys(t, s, "", ""); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func list(t *testing.T, s blob.Store) {
	all := []string{"a!", "a-b/x", "a/1", "a/2", "a/b/c", "a0", "b/1", "c"}
	for _, i := range []int{5, 2, 7, 0, 3, 1, 6, 4} {
		put(t, s, all[i], "x")
	}
	slices.Sort(all)
	for _, c := range []struct{ prefix, after string }{{"", ""}, {"a/", ""}, {"a", ""}, {"a/", "a/1"}, {"", "a/2"}, {"", "a/"}, {"b", "a0"}, {"zz", ""}, {"a/b", "a/b/c"}, {"", "zzz"}} {
		var want []string
		for _, k := range all {
			if strings.HasPrefix(k, c.prefix) && k > c.after {
				want = append(want, k)
			}
		}
		if got := keys(t, s, c.prefix, c.after); !slices.Equal(got, want) {
			t.Errorf("list %q after %q: %q, want %q", c.prefix, c.after, got, want)
		}
	}
	n := 0
	for _, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break // leaving early must be safe
		}
	}
}

func brokenReader(t *testing.T, s blob.Store) {
	put(t, s, "k", "whole")
	broken := io.MultiReader(strings.NewReader("ha"), iotestError{})
	if _, err := s.Put(t.Context(), "k", broken); err == nil {
		t.Error("a reader that broke off was taken")
	}
	if got, _ := read(t, s, "k"); got != "whole" {
		t.Errorf("after a put that broke off: %q, want whole", got)
	}
}

type iotestError struct{}

func (iotestError) Read([]byte) (int, error) { return 0, errors.New("broke off") }

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, "k", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want context.Canceled", err)
	}
	if got := keys(t, s, "", ""); len(got) != 0 {
		t.Errorf("a cancelled put left %v", got)
	}
	if r, _, err := s.Open(ctx, "k", 0); !errors.Is(err, context.Canceled) {
		if err == nil {
			r.Close()
		}
		t.Errorf("open: %v, want context.Canceled", err)
	}
}

// atOnce writes one key from many sides while it is read: every reader sees
// one whole version.
func atOnce(t *testing.T, s blob.Store) {
	version := func(i int) string { return strings.Repeat(fmt.Sprint(i), 4096) }
	put(t, s, "k", version(0))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 10 {
				if _, err := s.Put(t.Context(), "k", strings.NewReader(version(i))); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			for range 20 {
				r, _, err := s.Open(t.Context(), "k", 0)
				if err != nil {
					t.Error(err)
					return
				}
				content, err := io.ReadAll(r)
				r.Close()
				if err != nil || len(content) != 4096 || bytes.Count(content, content[:1]) != 4096 {
					t.Errorf("read %d bytes %v, want 4096 of one version", len(content), err)
				}
			}
		})
	}
	group.Wait()
}

// comeAndGo puts and deletes in one folder from many sides: none fails.
func comeAndGo(t *testing.T, s blob.Store) {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			key := fmt.Sprintf("a/b/%d", i)
			for range 50 {
				if _, err := s.Put(t.Context(), key, strings.NewReader("x")); err != nil {
					t.Error(err)
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func ranges(t *testing.T, s blob.Store) {
	put(t, s, "k", "0123456789")
	for offset, want := range map[int64]string{0: "0123456789", 4: "456789", 10: ""} {
		r, info, err := s.Open(t.Context(), "k", offset)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(r)
		r.Close()
		if string(got) != want || info.Size != 10 {
			t.Errorf("from %d: %q of %d, want %q of 10", offset, got, info.Size, want)
		}
	}
	for _, offset := range []int64{-1, 11} {
		if r, _, err := s.Open(t.Context(), "k", offset); !errors.Is(err, upnext.ErrInvalid) {
			if err == nil {
				r.Close()
			}
			t.Errorf("from %d: %v, want ErrInvalid", offset, err)
		}
	}
}

// Bench measures puts of 32 KiB and a listing of a thousand objects.
func Bench(b *testing.B, open func(b *testing.B) blob.Store) {
	content := bytes.Repeat([]byte("x"), 32<<10)
	b.Run("put", func(b *testing.B) {
		s := open(b)
		b.SetBytes(int64(len(content)))
		for i := 0; b.Loop(); i++ {
			if _, err := s.Put(b.Context(), fmt.Sprintf("k/%d", i), bytes.NewReader(content)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list1000", func(b *testing.B) {
		s := open(b)
		for i := range 1000 {
			put(b, s, fmt.Sprintf("k/%d", i), "x")
		}
		for b.Loop() {
			if n := len(keys(b, s, "k/", "")); n != 1000 {
				b.Fatalf("%d listed", n)
			}
		}
	})
}
