package builtin

import (
	"context"
	_ "embed"
	"fmt"
	"sync"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin/internal/kernel"
)

//go:embed weights/effnet-lite0-f16.bin
var looksWeights string

// ImageModel is the model of ImageEncoder: EfficientNet-Lite0 for ImageNet-1k,
// weights of 16 bits, less the mean over photographs.
const ImageModel = "effnet-lite0-f16-centred"

// ImageEncoder embeds pictures by what they look like, in the process: JPEG, PNG
// or WebP up to MaxImageBytes and MaxImagePixels. A picture longer than 4:3
// either way is cropped to that in the middle, squeezed to 224 × 224 pixels
// (bilinear, without aliasing) and laid over white where it is transparent.
//
// The network's 1,280 values are never negative, so that any two pictures look
// alike to it: their cosine is .44 on average over film posters. Its mean over
// the photographs it was trained on, which its last batch norm tells, is taken
// away: .28 on average, and the differences weigh a third more.
//
// It is safe for concurrent use; a call works on one processor and holds one
// decoded picture at a time.
type ImageEncoder struct {
	net   func() (*looks, error)
	level kernel.Level
	pool  sync.Pool     // of *lookScratch
	large chan struct{} // holds one token while a large picture is decoded
}

var _ embed.Embedder = (*ImageEncoder)(nil)

// Image makes the picture encoder; make one and keep it. The weights are read at
// the first Embed, in some 20 ms and 14 MB; a call holds 10 MB more.
func Image() (*ImageEncoder, error) {
	if len(looksWeights) < 4 || looksWeights[:4] != "EFL1" {
		return nil, fmt.Errorf("picture encoder: the binary was built without its weights: %w", upnext.ErrUnavailable)
	}
	return newImage(sync.OnceValues(func() (*looks, error) { return readLooks(looksWeights) }), kernel.Best()), nil
}

func newImage(net func() (*looks, error), level kernel.Level) *ImageEncoder {
	e := &ImageEncoder{net: net, level: level, large: make(chan struct{}, 1)}
	e.pool.New = func() any { return newLookScratch() }
	return e
}

// Model implements embed.Embedder: 1,280 dimensions.
func (e *ImageEncoder) Model() embed.Model { return embed.Model{ID: ImageModel, Dim: lookDims} }

// Embed implements embed.Embedder.
func (e *ImageEncoder) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	net, err := e.net()
	if err != nil {
		return nil, fmt.Errorf("embed %d pictures: %w", len(inputs), err)
	}
	s := e.pool.Get().(*lookScratch)
	defer e.pool.Put(s)
	out := make([][]float32, len(inputs))
	failed := map[int]error{}
	for i, in := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed %d pictures: %w", len(inputs), err)
		}
		switch err := e.read(ctx, s, in); {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("embed %d pictures: %w", len(inputs), ctx.Err())
		case err != nil:
			failed[i] = err
			continue
		}
		v := net.run(s, e.level)
		for k, m := range net.mean {
			v[k] -= m
		}
		unit(v)
		out[i] = v
	}
	if len(failed) > 0 {
		return out, &embed.PartialError{Failed: failed}
	}
	return out, nil
}

// largePixels is from where on one picture is decoded at a time: each may take
// 8 bytes a pixel, a progressive JPEG 15, and many calls may run at once.
const largePixels = 4_000_000

// read decodes a picture into s.pixels.
func (e *ImageEncoder) read(ctx context.Context, s *lookScratch, in embed.Input) error {
	if len(in.Image) == 0 {
		if in.Text != "" {
			return fmt.Errorf("text given to the picture encoder: %w", upnext.ErrInvalid)
		}
		return fmt.Errorf("an empty picture: %w", upnext.ErrInvalid)
	}
	pixels, err := judge(in.Image)
	if err != nil {
		return err
	}
	if pixels > largePixels {
		select {
		case e.large <- struct{}{}:
			defer func() { <-e.large }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	im, err := decode(in.Image)
	if err != nil {
		return err
	}
	resize(s.pixels, im)
	return nil
}
