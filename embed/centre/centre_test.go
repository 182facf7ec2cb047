package centre_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/embed/centre"
	"upnext/embed/embedtest"
	"upnext/understand/zeroshot"
)

func encoder(t *testing.T) embed.Embedder {
	t.Helper()
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCentred(t *testing.T) {
	file := filepath.Join(t.TempDir(), "means.json")
	embedtest.Test(t, embed.Text, func(t *testing.T) embed.Embedder {
		e, err := centre.Open(t.Context(), encoder(t), zeroshot.Language, file)
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

// asleep is an encoder whose server is away.
type asleep struct{ embed.Embedder }

func (asleep) Embed(context.Context, ...embed.Input) ([][]float32, error) {
	return nil, upnext.ErrUnavailable
}

type renamed struct{ embed.Embedder }

func (r renamed) Model() embed.Model { return embed.Model{ID: "other", Dim: r.Embedder.Model().Dim} }

func TestKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "means.json")
	if _, err := centre.Open(t.Context(), asleep{encoder(t)}, zeroshot.Language, file); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("server away, no file: got %v, want ErrUnavailable", err)
	}
	first, err := centre.Open(t.Context(), encoder(t), zeroshot.Language, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := centre.Open(t.Context(), asleep{encoder(t)}, zeroshot.Language, file); err != nil {
		t.Errorf("server away, means kept: got %v", err)
	}
	if _, err := centre.Open(t.Context(), renamed{encoder(t)}, zeroshot.Language, file); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("means of another model: got %v, want ErrInvalid", err)
	}
	again, err := centre.Open(t.Context(), encoder(t), zeroshot.Language, file)
	if err != nil {
		t.Fatal(err)
	}
	in := embed.Input{Text: "怎么在家烤面包"}
	a, _ := first.Embed(t.Context(), in)
	b, err := again.Embed(t.Context(), in)
	if err != nil || !slices.Equal(a[0], b[0]) {
		t.Errorf("with kept means: got %v, or another vector", err)
	}
	if got := first.Model().ID; got != builtin.TextModel+"-centred-1" {
		t.Errorf("got model %s", got)
	}
}
