package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/ingest/passages"
)

// Bounds on what one step holds in memory, and on what the Understander gets.
const (
	textsAtOnce    = 256    // passages given to the encoder together
	picturesAtOnce = 16     // pictures given to the encoder together
	understoodText = 20_000 // bytes of an item's text
	keptPassages   = 64     // vectors of an item's passages
)

// embed makes the vectors of the works that need them.
func (p *Pipeline) embed(ctx context.Context, b *batch) error {
	works := b.lacking(vectors)
	if err := p.embedTexts(ctx, b.lane, b.schema, works); err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	images, err := p.embedImages(ctx, b.lane, works)
	if err != nil {
		return fmt.Errorf("thumbnails: %w", err)
	}
	for i, w := range works {
		if w.textVec == nil && images[i] == nil {
			continue // nothing to find it by; it is catalogued alone
		}
		if w.content, err = b.lane.Space.Fuse(w.textVec, images[i]); err != nil {
			return fmt.Errorf("item %s: %w", w.item.ID, err)
		}
	}
	b.lane.counts.items.Add(int64(len(works)))
	return nil
}

// pool is the weighted mean of one item's passages while they come in.
type pool struct {
	work *work
	sum  []float64
}

// waiting are passages on their way to the encoder.
type waiting struct {
	inputs  []embed.Input
	weights []float32
	pools   []*pool
}

// embedTexts reads each item's words, cuts them into passages and pools their
// vectors. Only as much text is held as the encoder takes at once.
func (p *Pipeline) embedTexts(ctx context.Context, l lane, schema upnext.Schema, works []*work) error {
	var queue waiting
	for _, w := range works {
		transcript, err := p.words(ctx, w)
		if err != nil {
			return err
		}
		of := &pool{work: w, sum: make([]float64, l.Text.Model().Dim)}
		if w.textMark == "" {
			w.textMark = markNone
		}
		for _, passage := range passages.Cut(w.item, transcript, embedded(schema, w.item)...) {
			if len(w.text) < understoodText {
				w.text += passage.Text + "\n"
			}
			queue.inputs = append(queue.inputs, embed.Input{Text: passage.Text})
			queue.weights = append(queue.weights, passage.Weight)
			queue.pools = append(queue.pools, of)
			if len(queue.inputs) == textsAtOnce {
				if err := p.flush(ctx, l, &queue); err != nil {
					return err
				}
			}
		}
	}
	return p.flush(ctx, l, &queue)
}

// embedded are the values of an item's attributes that are part of its vector.
func embedded(schema upnext.Schema, it upnext.Item) []string {
	var values []string
	for _, a := range schema {
		v, ok := it.Attributes[a.Name]
		if !a.Embedded || !ok {
			continue
		}
		if list, ok := v.([]string); ok {
			v = strings.Join(list, ", ")
		}
		values = append(values, fmt.Sprint(v))
	}
	return values
}

// flush embeds the waiting passages and adds them to their items' pools. Each
// pool's vector is kept up to date: its last passage may have been this one.
func (p *Pipeline) flush(ctx context.Context, l lane, q *waiting) error {
	if len(q.inputs) == 0 {
		return nil
	}
	began := time.Now()
	vecs, err := l.Text.Embed(ctx, q.inputs...)
	l.counts.busy.Add(int64(time.Since(began)))
	if partial := new(embed.PartialError); err != nil && !errors.As(err, &partial) {
		return endpoint(err)
	}
	l.counts.texts.Add(int64(len(q.inputs)))
	for i, vec := range vecs {
		if vec == nil {
			continue // nothing in it that the encoder knows, such as a row of dots
		}
		of := q.pools[i]
		for d, x := range vec {
			of.sum[d] += float64(q.weights[i]) * float64(x)
		}
		if len(of.work.passages) < keptPassages {
			of.work.passages = append(of.work.passages, vec)
		}
		if of.work.textMark == markNone {
			of.work.textMark = markDone
		}
	}
	for i, of := range q.pools {
		if i+1 == len(q.pools) || q.pools[i+1] != of {
			of.work.textVec = unit(of.sum)
		}
	}
	*q = waiting{}
	return nil
}

// unit returns v at length 1; nil if it has none.
func unit(v []float64) []float32 {
	var square float64
	for _, x := range v {
		square += x * x
	}
	if square < 1e-18 {
		return nil
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / math.Sqrt(square))
	}
	return out
}

// embedImages returns the works' picture vectors, nil where there is none.
func (p *Pipeline) embedImages(ctx context.Context, l lane, works []*work) ([][]float32, error) {
	vecs := make([][]float32, len(works))
	for from := 0; from < len(works); from += picturesAtOnce {
		var inputs []embed.Input
		var at []int
		for i := from; i < min(from+picturesAtOnce, len(works)); i++ {
			data, err := p.picture(ctx, l, works[i])
			if err != nil {
				return nil, err
			}
			if data != nil {
				inputs, at = append(inputs, embed.Input{Image: data}), append(at, i)
			}
		}
		if len(inputs) == 0 {
			continue
		}
		began := time.Now()
		got, err := l.Image.Embed(ctx, inputs...)
		l.counts.busy.Add(int64(time.Since(began)))
		partial := new(embed.PartialError)
		if err != nil && !errors.As(err, &partial) {
			return nil, endpoint(err)
		}
		l.counts.images.Add(int64(len(inputs)))
		for n, i := range at {
			vecs[i] = got[n]
			works[i].imageMark = markDone
			if cause := partial.Failed[n]; cause != nil {
				works[i].lost("thumbnail", works[i].item.Thumbnail, cause)
			}
		}
	}
	return vecs, nil
}

// lost notes that a part of the item could not be read, in its mark too.
func (w *work) lost(stage, key string, err error) {
	cause := stage
	if errors.Is(err, upnext.ErrNotFound) {
		cause = "missing"
	}
	w.faulty(stage, key, cause, err)
	switch stage {
	case "thumbnail":
		w.imageMark = err.Error()
	case "comments":
		w.textMark = "comments: " + err.Error()
	default:
		w.textMark = err.Error()
	}
}
