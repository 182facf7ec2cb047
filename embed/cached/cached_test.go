package cached_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/embed/cached"
	"upnext/embed/embedtest"
)

// counting counts what reaches the encoder behind it, and lets it take time.
type counting struct {
	embed.Embedder
	inputs atomic.Int64
	takes  time.Duration
}

func (c *counting) Embed(ctx context.Context, in ...embed.Input) ([][]float32, error) {
	c.inputs.Add(int64(len(in)))
	if c.takes > 0 {
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return c.Embedder.Embed(ctx, in...)
}

func open(t *testing.T, bytes int) (*counting, *cached.Embedder) {
	t.Helper()
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	inner := &counting{Embedder: text}
	c, err := cached.New(inner, bytes)
	if err != nil {
		t.Fatal(err)
	}
	return inner, c
}

func TestCached(t *testing.T) {
	embedtest.Test(t, embed.Text, func(t *testing.T) embed.Embedder { _, c := open(t, 1<<20); return c })
}

func TestBounded(t *testing.T) {
	inner, c := open(t, 3*(512*4+200)) // three vectors
	for _, text := range []string{"one", "two", "one", "three", "four", "one", "two"} {
		if _, err := c.Embed(t.Context(), embed.Input{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if n := inner.inputs.Load(); n != 5 { // "two" has been pushed out
		t.Errorf("got %d inputs at the encoder, want 5", n)
	}
}

func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, c := open(t, 1<<20)
		inner.takes = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Embed(ctx, embed.Input{Text: "same"}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want Canceled", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				if v, err := c.Embed(t.Context(), embed.Input{Text: "same"}, embed.Input{Text: "same"}); err != nil || len(v) != 2 || v[1] == nil {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		cancel() // the one whose call they share
		wg.Wait()
		if n := inner.inputs.Load(); n != 2 {
			t.Errorf("got %d inputs at the encoder, want 2: one given up, one shared", n)
		}
	})
}
