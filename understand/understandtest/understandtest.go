// Package understandtest says what every understand.Understander promises.
package understandtest

import (
	"reflect"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/understand"
)

// items are ordinary, odd and nearly empty.
var items = []upnext.Item{
	{ID: "bread", Kind: "video", Title: "Baking bread at home", Description: "A recipe with flour, water and salt, step by step.", Tags: []string{"cooking", "tutorial"}},
	{ID: "面包", Kind: "article", Title: "在家烤面包的方法", Description: "面粉、水和盐，一步一步教你做。", Tags: []string{"烘焙"}},
	{ID: "nothing", Kind: "video", Title: "…"},
	{ID: "given", Kind: "short", Title: "Bonjour", Language: "fr-CA"},
	{ID: "broken", Kind: "music", Title: "\xff\x00 ?", Tags: []string{"", "\n", "\xff"}},
}

// Test checks an engine. text is an encoder whose vectors it can read; open
// makes the engine afresh.
func Test(t *testing.T, text embed.Embedder, open func(t *testing.T) understand.Understander) {
	inputs := make([]understand.Input, len(items))
	for i, item := range items {
		inputs[i] = understand.Input{Item: item, Text: item.Title + "\n" + item.Description}
		// A text that has no vector is part of the test, so the error is not.
		vectors, _ := text.Embed(t.Context(), embed.Input{Text: item.Title + ". " + item.Description})
		if len(vectors) == 1 && vectors[0] != nil {
			inputs[i].Vec, inputs[i].Passages = vectors[0], vectors
		}
	}
	t.Run("one answer for each input", func(t *testing.T) {
		u := open(t)
		for n := range len(inputs) + 1 {
			if got := ask(t, u, inputs[:n]...); len(got) != n {
				t.Errorf("got %d answers to %d inputs", len(got), n)
			}
		}
	})
	t.Run("labels are well formed", func(t *testing.T) { wellFormed(t, open(t), inputs) })
	t.Run("nothing is guessed from nothing", func(t *testing.T) {
		got := ask(t, open(t), understand.Input{Item: upnext.Item{ID: "x", Kind: "video", Title: "…"}, Text: "…"})[0]
		if n := len(got.Topics) + len(got.Emotion) + len(got.Style) + len(got.Language) + len(got.Safety); n > 0 {
			t.Errorf("got %+v, want empty facets", got)
		}
	})
	t.Run("neither order nor company matters", func(t *testing.T) {
		u := open(t)
		want := ask(t, u, inputs...)
		backwards := slices.Clone(inputs)
		slices.Reverse(backwards)
		got := ask(t, open(t), backwards...)
		slices.Reverse(got)
		if !reflect.DeepEqual(timeless(got), timeless(want)) {
			t.Errorf("backwards: got %+v, want %+v", got, want)
		}
		for i, in := range inputs {
			if got := ask(t, u, in); !reflect.DeepEqual(timeless(got), timeless(want[i:i+1])) {
				t.Errorf("%s alone: got %+v, want %+v", in.Item.ID, got[0], want[i])
			}
		}
	})
	t.Run("inputs are not changed", func(t *testing.T) {
		vec, tags := slices.Clone(inputs[0].Vec), slices.Clone(inputs[0].Item.Tags)
		ask(t, open(t), inputs[0])
		if !slices.Equal(inputs[0].Vec, vec) || !slices.Equal(inputs[0].Item.Tags, tags) {
			t.Error("the engine wrote to its input")
		}
	})
	t.Run("many may call at once", func(t *testing.T) {
		u := open(t)
		want := ask(t, open(t), inputs...)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, err := u.Understand(t.Context(), inputs...)
				if err != nil || !reflect.DeepEqual(timeless(got), timeless(want)) {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
			})
		}
		wg.Wait()
	})
}

func wellFormed(t *testing.T, u understand.Understander, inputs []understand.Input) {
	if !regexp.MustCompile(`^\S+$`).MatchString(u.Model()) {
		t.Errorf("got model %q, want a name without spaces", u.Model())
	}
	for i, got := range ask(t, u, inputs...) {
		for facet, labels := range map[string][]upnext.Label{
			"topics": got.Topics, "emotion": got.Emotion, "style": got.Style, "language": got.Language, "safety": got.Safety,
		} {
			for j, l := range labels {
				if l.Value == "" || l.Model != u.Model() || !(l.Confidence > 0 && l.Confidence <= 1) {
					t.Errorf("%s: %s: got %+v, want a value, the engine's model and a confidence in (0, 1]", items[i].ID, facet, l)
				}
				if j > 0 && l.Confidence > labels[j-1].Confidence {
					t.Errorf("%s: %s: got %v, want the most confident first", items[i].ID, facet, labels)
				}
				if slices.ContainsFunc(labels[:j], func(other upnext.Label) bool { return other.Value == l.Value }) {
					t.Errorf("%s: %s: got %s twice", items[i].ID, facet, l.Value)
				}
			}
		}
	}
}

func ask(t *testing.T, u understand.Understander, inputs ...understand.Input) []upnext.Understanding {
	t.Helper()
	got, err := u.Understand(t.Context(), inputs...)
	if err != nil {
		t.Fatalf("understand %d inputs: %v", len(inputs), err)
	}
	return got
}

// timeless leaves out the moment, the only thing that may differ.
func timeless(all []upnext.Understanding) []upnext.Understanding {
	out := slices.Clone(all)
	for i := range out {
		out[i].At = time.Time{}
	}
	return out
}
