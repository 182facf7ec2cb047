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

// A string, unlike bytes, stays in the program's read-only pages: a row of the
// table costs memory only once it is read.
//
//go:embed weights/use-enzh-q4.bin
var sentenceWeights string

// TextModel is the model of TextEncoder: Universal Sentence Encoder multilingual v3,
// cut to English and Chinese pieces, weights of 4 and 8 bits.
const TextModel = "use-enzh-q4"

// stackRows is how many pieces go through the network together: enough for the
// products to use each weight often, few enough to stay in the second cache.
const stackRows = 128

// TextEncoder embeds English and Chinese text in the process. It reads the first
// 512 pieces (some 350 English words or 600 Chinese characters) of a text and
// leaves out the rest; cut longer texts into passages and pool them (embed.Pool).
// It is safe for concurrent use; a call works on one processor.
type TextEncoder struct {
	net   *sentence
	level kernel.Level
	pool  sync.Pool // of *stack
}

var _ embed.Embedder = (*TextEncoder)(nil)

// Text makes the text encoder. It reads the weights, in some 10 ms and 7 MB;
// make one and keep it.
func Text() (*TextEncoder, error) {
	net, err := readSentence(sentenceWeights)
	if err != nil {
		return nil, err
	}
	return newText(net, kernel.Best()), nil
}

func newText(net *sentence, level kernel.Level) *TextEncoder {
	t := &TextEncoder{net: net, level: level}
	t.pool.New = func() any { return new(stack) }
	return t
}

// Model implements embed.Embedder: 512 dimensions.
func (t *TextEncoder) Model() embed.Model { return embed.Model{ID: TextModel, Dim: wide} }

// Embed implements embed.Embedder. A text without a letter, digit or sign is
// empty; broken UTF-8 reads as U+FFFD.
func (t *TextEncoder) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	s := t.pool.Get().(*stack)
	defer t.pool.Put(s)
	out := make([][]float32, len(inputs))
	failed := map[int]error{}
	var pending []int
	flush := func() {
		for i, v := range t.net.run(s, t.level) {
			out[pending[i]] = v
		}
		pending = pending[:0]
		s.reset()
	}
	s.reset()
	for i, in := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed %d texts: %w", len(inputs), err)
		}
		first := len(s.ids)
		if len(in.Image) == 0 {
			s.ids = t.net.tokens.cut(s.ids, in.Text)
		}
		if len(s.ids) == first {
			failed[i] = textError(in)
			continue
		}
		s.push(first)
		pending = append(pending, i)
		if s.used >= stackRows {
			flush()
		}
	}
	if len(pending) > 0 {
		flush()
	}
	if len(failed) > 0 {
		return out, &embed.PartialError{Failed: failed}
	}
	return out, nil
}

func textError(in embed.Input) error {
	if len(in.Image) > 0 {
		return fmt.Errorf("an image given to the text encoder: %w", upnext.ErrInvalid)
	}
	return fmt.Errorf("text %.20q has nothing to read: %w", in.Text, upnext.ErrInvalid)
}
