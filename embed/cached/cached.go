// Package cached keeps the vectors of inputs that come again, in a bounded
// number of bytes.
package cached

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"upnext"
	"upnext/embed"
)

// entryBytes is what an entry takes beside its vector: key, list and map.
const entryBytes = 200

// Embedder is a cache before another Embedder. The key is the content's hash:
// the model is the inner one's, constant over its life. Several that ask at once
// for what is not there share one call.
type Embedder struct {
	inner embed.Embedder

	mu      sync.Mutex
	kept    *lru.Cache[key, []float32]
	flights map[key]*flight
}

type key [sha256.Size]byte

// flight is an input on its way through the inner Embedder.
type flight struct {
	done   chan struct{} // closed when one of the others is set
	vector []float32
	err    error // of the input where invalid is true, of the whole call otherwise
	bad    bool  // the input cannot be embedded; others may ask again if it is false
}

var _ embed.Embedder = (*Embedder)(nil)

// New makes a cache of about so many bytes.
func New(inner embed.Embedder, bytes int) (*Embedder, error) {
	entries := bytes / (4*inner.Model().Dim + entryBytes)
	if entries < 1 {
		return nil, fmt.Errorf("cache of %d bytes holds no vector of %d components: %w", bytes, inner.Model().Dim, upnext.ErrInvalid)
	}
	kept, err := lru.New[key, []float32](entries)
	if err != nil {
		return nil, fmt.Errorf("cache of %d vectors: %w", entries, err)
	}
	return &Embedder{inner: inner, kept: kept, flights: map[key]*flight{}}, nil
}

// Model implements embed.Embedder.
func (c *Embedder) Model() embed.Model { return c.inner.Model() }

// Embed implements embed.Embedder. Only valid vectors are kept. What another
// call gave up is asked for anew.
func (c *Embedder) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed %d inputs: %w", len(inputs), err)
	}
	keys := make([]key, len(inputs))
	for i, in := range inputs {
		keys[i] = hash(in)
	}
	out, failed := make([][]float32, len(inputs)), map[int]error{}
	for {
		joined, own, ownAt := c.look(keys, out, failed)
		if len(own) > 0 {
			if err := c.fly(ctx, inputs, ownAt, own); err != nil {
				return nil, err
			}
		}
		again := false
		for i, f := range joined {
			select {
			case <-f.done:
			case <-ctx.Done():
				return nil, fmt.Errorf("embed %d inputs: %w", len(inputs), ctx.Err())
			}
			switch {
			case f.bad:
				failed[i] = f.err
			case f.err == nil:
				out[i] = slices.Clone(f.vector)
			case given(f.err):
				again = true // the one who asked has given up, we have not
			default:
				return nil, f.err
			}
		}
		if !again {
			break
		}
	}
	if len(failed) > 0 {
		return out, &embed.PartialError{Failed: failed}
	}
	return out, nil
}

func given(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// look fills in what is kept and finds who is on the way; what nobody has asked
// for is the caller's own to ask, once for equal inputs.
func (c *Embedder) look(keys []key, out [][]float32, failed map[int]error) (joined map[int]*flight, own []*flight, ownAt []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined = map[int]*flight{}
	for i, k := range keys {
		if out[i] != nil || failed[i] != nil {
			continue
		}
		if v, ok := c.kept.Get(k); ok {
			out[i] = slices.Clone(v)
			continue
		}
		f := c.flights[k]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			c.flights[k] = f
			own, ownAt = append(own, f), append(ownAt, i)
		}
		joined[i] = f
	}
	return joined, own, ownAt
}

// fly asks the inner Embedder and tells all who wait. It returns the error of the
// whole call.
func (c *Embedder) fly(ctx context.Context, inputs []embed.Input, at []int, own []*flight) error {
	asked := make([]embed.Input, len(at))
	for n, i := range at {
		asked[n] = inputs[i]
	}
	vectors, err := c.inner.Embed(ctx, asked...)
	var partial *embed.PartialError
	if errors.As(err, &partial) {
		err = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, f := range own {
		switch {
		case err != nil:
			f.err = err
		case vectors[n] == nil:
			f.err, f.bad = partial.Failed[n], true
		default:
			f.vector = vectors[n]
			c.kept.Add(hash(asked[n]), slices.Clone(f.vector))
		}
		delete(c.flights, hash(asked[n]))
		close(f.done)
	}
	return err
}

// hash tells contents apart, and a text from a picture.
func hash(in embed.Input) key {
	if in.Image != nil {
		return sha256.Sum256(append([]byte{1}, in.Image...))
	}
	return sha256.Sum256(append([]byte{0}, in.Text...))
}
