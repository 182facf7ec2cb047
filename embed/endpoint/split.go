package endpoint

import (
	"context"
	"errors"
	"fmt"

	"upnext"
	"upnext/embed"
)

// shortest is the length in bytes below which a refused text is not cut further:
// one that is still too long for the server then is no text.
const shortest = 256

// split embeds inputs and finds those that the server refuses, by halves: one bad
// among 64 costs 13 more requests. refused has a cause, an ErrInvalid, at the
// position of each.
func (c *Client) split(ctx context.Context, inputs []embed.Input) (vectors [][]float32, refused []error, err error) {
	vectors, refused = make([][]float32, len(inputs)), make([]error, len(inputs))
	if err := c.halves(ctx, inputs, vectors, refused); err != nil {
		return nil, nil, err
	}
	var why error
	for _, cause := range refused {
		if cause == nil {
			return vectors, refused, nil
		}
		why = cause
	}
	// All were refused. If the server now refuses what it took at the beginning,
	// it is not the inputs that are wrong, and none may be blamed.
	if _, err := c.attempt(ctx, []embed.Input{c.probe}); isRefusal(err) {
		return nil, nil, fmt.Errorf("the server refuses every input: %v: %w", why, upnext.ErrUnavailable)
	} else if err != nil {
		return nil, nil, err
	}
	return vectors, refused, nil
}

func (c *Client) halves(ctx context.Context, inputs []embed.Input, vectors [][]float32, refused []error) error {
	got, err := c.attempt(ctx, inputs)
	if err == nil {
		copy(vectors, got)
		return nil
	}
	if !isRefusal(err) {
		return err
	}
	if half := len(inputs) / 2; half > 0 {
		if err := c.halves(ctx, inputs[:half], vectors[:half], refused[:half]); err != nil {
			return err
		}
		return c.halves(ctx, inputs[half:], vectors[half:], refused[half:])
	}
	// Alone and refused: perhaps too long, and its beginning says enough.
	if text := inputs[0].Text; len(text) >= 2*shortest {
		return c.halves(ctx, []embed.Input{{Text: cut(text, len(text)/2)}}, vectors, refused)
	}
	c.meters.refused.Inc()
	refused[0] = fmt.Errorf("refused: %w", err)
	return nil
}

// isRefusal says that the server finds fault with the inputs.
func isRefusal(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.refusal()
}
