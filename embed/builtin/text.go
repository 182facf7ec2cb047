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

// TextModel is the model of Text: Universal Sentence Encoder multilingual v3,
// cut to English and Chinese pieces, weights of 4 and 8 bits.
const TextModel = "use-enzh-q4"

// stackRows is how many pieces go through the network together: enough for the
// products to use each weight often, few enough to stay in the second cache.
const stackRows = 128

// Text embeds English and Chinese text in the process. It reads the first 512
// pieces (some 350 English words or 600 Chinese characters) of a text and leaves
// out the rest; cut longer texts into passages and pool them (embed.Pool).
// It is safe for concurrent use; a call works on one processor.
type Text struct {
	load  func() (*sentence, error)
	level kernel.Level
	pool  sync.Pool // of *stack
}

var _ embed.Embedder = (*Text)(nil)

// NewText makes the encoder. Its weights are read at the first Embed, in some
// 15 ms, and shared by all encoders of the process.
func NewText() *Text { return newText(kernel.Best()) }

func newText(level kernel.Level) *Text {
	t := &Text{load: loadSentence, level: level}
	t.pool.New = func() any { return new(stack) }
	return t
}

var loadSentence = sync.OnceValues(func() (*sentence, error) { return readSentence(sentenceWeights) })

// Model implements embed.Embedder: 512 dimensions.
func (t *Text) Model() embed.Model { return embed.Model{ID: TextModel, Dim: wide} }

// Embed implements embed.Embedder. A text without a letter, digit or sign is
// empty; broken UTF-8 reads as U+FFFD.
func (t *Text) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	net, err := t.load()
	if err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(inputs), err)
	}
	s := t.pool.Get().(*stack)
	defer t.pool.Put(s)
	out := make([][]float32, len(inputs))
	failed := map[int]error{}
	var pending []int
	flush := func() {
		for i, v := range net.run(s, t.level) {
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
			s.ids = net.tokens.cut(s.ids, in.Text)
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
