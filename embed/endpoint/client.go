package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"upnext"
	"upnext/embed"
)

// Client embeds by the servers of one model. It is safe for concurrent use, and
// is better used so: calls that come together share requests.
type Client struct {
	Config
	model  embed.Model
	probe  embed.Input // one that the servers are known to take
	fleet  *fleet
	meters meters
	budget budget

	queue  chan *entry
	slots  chan struct{} // a place for each request in flight
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	closed chan struct{} // nothing of the Client runs any more
}

var _ embed.Embedder = (*Client)(nil)

// Open asks the servers for their limits and embeds one input, to know the length
// of a vector. Nothing is asked where ID and Dim are given and the Engine is no
// Informer; otherwise servers that are away are an ErrUnavailable. Close ends it.
func Open(ctx context.Context, c Config) (*Client, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	cl := &Client{Config: c, meters: newMeters(c.Metrics, c.Label), budget: budget{left: budgetSize}, probe: probeOf(c.Reads)}
	cl.fleet = newFleet(c.Endpoints, cl.meters)
	if err := cl.ask(ctx); err != nil {
		return nil, fmt.Errorf("open embedding endpoint %s: %w", Shown(c.Endpoints[0]), err)
	}
	cl.queue = make(chan *entry, cl.MaxBatch)
	cl.slots = make(chan struct{}, cl.Concurrency*len(c.Endpoints))
	cl.closed = make(chan struct{})
	cl.ctx, cl.cancel = context.WithCancel(context.Background())
	cl.work.Go(cl.gather)
	return cl, nil
}

// ask completes model and limits by what the servers tell.
func (c *Client) ask(ctx context.Context) error {
	name := c.Name
	if informer, ok := c.Engine.(Informer); ok {
		for _, e := range c.Endpoints {
			about, err := c.about(ctx, informer, e)
			if err != nil {
				return err
			}
			if about.MaxBatch > 0 {
				c.MaxBatch = min(c.MaxBatch, about.MaxBatch)
			}
			if name == "" {
				name = about.Model
			}
		}
	}
	c.model = embed.Model{ID: c.ID, Dim: c.Dim}
	if c.model.ID == "" {
		c.model.ID = Slug(name)
	}
	if c.model.ID == "" {
		return fmt.Errorf("the server does not tell its model and none is named: %w", upnext.ErrInvalid)
	}
	if c.Dim > 0 {
		return nil
	}
	vectors, err := c.attempt(ctx, []embed.Input{c.probe})
	if err != nil {
		return fmt.Errorf("embed a first input: %w", err)
	}
	c.model.Dim = len(vectors[0])
	return nil
}

// about allows a server not to tell of itself, but not to be away.
func (c *Client) about(ctx context.Context, informer Informer, e string) (About, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	about, err := informer.About(ctx, e)
	if status := (*StatusError)(nil); errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusMethodNotAllowed) {
		return About{}, nil
	}
	if err != nil && !errors.Is(err, upnext.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	}
	return about, err
}

// Model implements embed.Embedder.
func (c *Client) Model() embed.Model { return c.model }

// Embed implements embed.Embedder. A text is read up to MaxText bytes, and less
// where the server takes no more. A server that cannot answer, after retries, is
// an ErrUnavailable. While the queue is full it waits.
func (c *Client) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed %d inputs: %w", len(inputs), err)
	}
	call := &call{ctx: ctx, vectors: make([][]float32, len(inputs)), failed: map[int]error{}, done: make(chan struct{})}
	var entries []*entry
	for i, in := range inputs {
		in, err := c.readable(in)
		if err != nil {
			call.failed[i] = err
			continue
		}
		entries = append(entries, &entry{call: call, at: i, input: in})
	}
	call.left = len(entries)
	if call.left > 0 {
		if err := c.wait(ctx, call, entries); err != nil {
			return nil, fmt.Errorf("embed %d inputs: %w", len(inputs), err)
		}
	}
	if len(call.failed) > 0 {
		return call.vectors, &embed.PartialError{Failed: call.failed}
	}
	return call.vectors, nil
}

// wait queues the entries and waits for their answers. A caller that gives up
// leaves alone those that share its requests.
func (c *Client) wait(ctx context.Context, call *call, entries []*entry) error {
	for _, e := range entries {
		e.start()
		select {
		case c.queue <- e:
		case <-call.done: // a part has failed, so the whole has
			return call.err
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ctx.Done():
			return errClosed
		}
	}
	select {
	case <-call.done:
		return call.err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closed:
		return errClosed
	}
}

var errClosed = fmt.Errorf("the embedding client is closed: %w", upnext.ErrUnavailable)

// Close gives up what is in flight and waits for its end. Calls that still wait
// get an ErrUnavailable.
func (c *Client) Close() error {
	c.cancel()
	c.work.Wait()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

// readable returns what is sent of an input.
func (c *Client) readable(in embed.Input) (embed.Input, error) {
	switch {
	case c.Reads == embed.Text && in.Image != nil:
		return in, fmt.Errorf("an image given to a text encoder: %w", upnext.ErrInvalid)
	case c.Reads == embed.Text && strings.TrimSpace(in.Text) == "":
		return in, fmt.Errorf("text %.20q has nothing to read: %w", in.Text, upnext.ErrInvalid)
	case c.Reads == embed.Text:
		return embed.Input{Text: cut(in.Text, c.MaxText)}, nil
	case MIME(in.Image) == "":
		return in, fmt.Errorf("%d bytes that are no JPEG, PNG, WebP or GIF: %w", len(in.Image), upnext.ErrInvalid)
	}
	return embed.Input{Image: in.Image}, nil
}

// MIME names the kind of a picture; empty where it is none that is sent.
func MIME(picture []byte) string {
	switch kind := http.DetectContentType(picture); kind {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		return kind
	}
	return ""
}

// cut returns the first n bytes of a text, less the rest of a broken sign.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// Slug makes a model's id of its name: "intfloat/multilingual-e5-small" is
// "intfloat-multilingual-e5-small".
func Slug(name string) string {
	return strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "-"), "-")
}
