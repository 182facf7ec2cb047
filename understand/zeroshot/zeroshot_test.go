package zeroshot

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/understand"
	"upnext/understand/understandtest"
)

func encoder(t testing.TB) embed.Embedder {
	t.Helper()
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func open(t testing.TB) *Understander {
	t.Helper()
	u, err := New(t.Context(), encoder(t))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// read makes the input of an item as ingest does, from title and description.
func read(t testing.TB, item upnext.Item) understand.Input {
	t.Helper()
	inputs := []embed.Input{{Text: item.Title}}
	if item.Description != "" {
		inputs = append(inputs, embed.Input{Text: item.Description})
	}
	passages, err := encoder(t).Embed(t.Context(), inputs...)
	if err != nil {
		t.Fatal(err)
	}
	vec, err := embed.Pool(passages, nil)
	if err != nil {
		t.Fatal(err)
	}
	return understand.Input{Item: item, Text: item.Title + "\n" + item.Description, Vec: vec, Passages: passages}
}

func TestUnderstander(t *testing.T) {
	understandtest.Test(t, encoder(t), func(t *testing.T) understand.Understander { return open(t) })
}

func TestTopics(t *testing.T) {
	u := open(t)
	tests := []struct{ title, description, want string }{
		{"Sourdough bread for beginners", "How to knead the dough and bake a loaf in your own kitchen.", "cooking"},
		{"番茄炒蛋的三个窍门", "家常菜做法：先炒蛋还是先炒番茄？", "cooking"},
		{"Jupiter and its moons tonight", "Point your telescope south to see the planet.", "space"},
		{"星空入门：怎么找到木星", "一台望远镜，带你看行星和银河。", "space"},
		{"Teaching my puppy to sit", "Training a young dog with treats.", "pets"},
		{"我家猫为什么半夜跑酷", "养猫人的日常，猫咪夜里到底在忙什么。", "pets"},
		{"Index funds or stocks?", "How to invest your savings in the market.", "finance"},
		{"The last minute of the cup final", "A goal, a referee and eleven exhausted players.", "sports"},
		{"Replacing the brake pads of my old car", "In the garage with a jack and a mechanic's advice.", "cars"},
		{"Carbon emissions and the climate", "What a warmer planet means, and how renewable energy helps.", "environment"},
	}
	for _, test := range tests {
		got, err := u.Understand(t.Context(), read(t, upnext.Item{ID: "i", Kind: "video", Title: test.title, Description: test.description}))
		if err != nil {
			t.Fatal(err)
		}
		topics := upnext.Values(got[0].Topics)
		if len(topics) == 0 || topics[0] != test.want {
			t.Errorf("%s: got %v, want %s first", test.title, got[0].Topics, test.want)
			continue
		}
		if !strings.HasPrefix(got[0].Topics[0].Evidence, "text like: ") {
			t.Errorf("%s: got evidence %q, want the phrase", test.title, got[0].Topics[0].Evidence)
		}
	}
}

func TestNoGuess(t *testing.T) {
	u := open(t)
	for _, title := range []string{"Episode 12", "第三集", "IMG_2231", "The one about the thing"} {
		got, err := u.Understand(t.Context(), read(t, upnext.Item{ID: "i", Kind: "video", Title: title}))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range slices.Concat(got[0].Topics, got[0].Emotion, got[0].Style) {
			if l.Confidence > .6 {
				t.Errorf("%s: got %v, want nothing that sure", title, l)
			}
		}
	}
}

func TestTagsAreEvidence(t *testing.T) {
	got, err := open(t).Understand(t.Context(),
		understand.Input{Item: upnext.Item{ID: "i", Kind: "video", Title: "Stop", Tags: []string{" #Cooking", "Tutorial", "nostalgia", "zebra"}}},
		understand.Input{Item: upnext.Item{ID: "j", Kind: "ad", Title: "停", Tags: []string{"做饭", "怀旧", "教程"}}})
	if err != nil {
		t.Fatal(err)
	}
	const model = version + "-" + builtin.TextModel
	tagged := func(value, tag string) upnext.Label {
		return upnext.Label{Value: value, Confidence: byTag, Evidence: "tag: " + tag, Model: model}
	}
	want := []upnext.Understanding{
		{
			Topics: []upnext.Label{tagged("cooking", "cooking")}, Emotion: []upnext.Label{tagged("nostalgic", "nostalgia")},
			Style: []upnext.Label{tagged("tutorial", "tutorial")},
		},
		{
			Topics: []upnext.Label{tagged("cooking", "做饭")}, Emotion: []upnext.Label{tagged("nostalgic", "怀旧")},
			Style:    []upnext.Label{{Value: "advert", Confidence: 1, Evidence: "kind: ad", Model: model}, tagged("tutorial", "教程")},
			Language: []upnext.Label{{Value: "zh", Confidence: 1, Evidence: "text", Model: model}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWrongVector(t *testing.T) {
	_, err := open(t).Understand(t.Context(), understand.Input{Item: upnext.Item{ID: "short"}, Vec: []float32{1, 0}})
	if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "short") {
		t.Errorf("got %v, want an ErrInvalid that names the item", err)
	}
}

// failing fails until told otherwise.
type failing struct {
	embed.Embedder
	broken bool
}

func (f *failing) Embed(ctx context.Context, in ...embed.Input) ([][]float32, error) {
	if f.broken {
		return nil, upnext.ErrUnavailable
	}
	return f.Embedder.Embed(ctx, in...)
}

func TestEncoderComesBack(t *testing.T) {
	text := &failing{Embedder: encoder(t), broken: true}
	u, err := New(t.Context(), text)
	if err != nil {
		t.Fatalf("New calls the encoder: %v", err)
	}
	in := read(t, upnext.Item{ID: "i", Kind: "video", Title: "Baking bread"})
	if _, err := u.Understand(t.Context(), in); !errors.Is(err, upnext.ErrUnavailable) {
		t.Errorf("got %v, want the encoder's ErrUnavailable", err)
	}
	text.broken = false
	if _, err := u.Understand(t.Context(), in); err != nil {
		t.Errorf("after the encoder came back: got %v, want no error", err)
	}
}

func TestLabels(t *testing.T) {
	u := open(t)
	for _, id := range strings.Fields("cooking travel science space technology gaming fitness fashion pets nature history art film comedy finance parenting sports cars gardening music") {
		if !slices.Contains(u.Topics(), id) {
			t.Errorf("topic %s is missing", id)
		}
	}
	for _, labels := range [][]label{u.labels.topics, u.labels.emotion, u.labels.style} {
		for _, l := range labels {
			if !slices.Contains(l.names, l.id) {
				t.Errorf("%s is not named by its own id", l.id)
			}
			if len(l.phrases) < 4 || slices.Contains(l.phrases, "") {
				t.Errorf("%s: got phrases %q, want at least 4", l.id, l.phrases)
			}
		}
	}
	for _, file := range []string{"topic\tx\tx\ty", "mood\tx\tx\ty\tz", "topic\tx\tx\ty\tz\ntopic\tx\tx\ty\tz"} {
		if _, err := readLabels(file); err == nil {
			t.Errorf("readLabels(%q): got no error", file)
		}
	}
}

func TestDetect(t *testing.T) {
	tests := []struct{ text, want string }{
		{"How to bake bread at home", "en"},
		{"怎么在家烤面包", "zh"},
		{"iPhone 15 Pro 开箱测评", "zh"},
		{"Comment faire du pain à la maison sans machine", "fr"},
		{"Wie man zu Hause ohne Maschine ein gutes Brot backt", "de"},
		{"家でパンを焼く方法", "ja"},
		{"집에서 빵 굽는 방법", "ko"},
		{"Как испечь вкусный хлеб дома: простой рецепт, который получится у каждого", "ru"},
		{"สูตรขนมปังทำเองที่บ้าน", "th"},
		{"A visit to the 故宫 museum with my two sisters", "en"},
		{"https://example.com/watch @someone #bonjour", ""},
		{"Madonna", ""},
		{"1234 !!", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got, _ := detect(test.text); got != test.want {
			t.Errorf("detect(%q): got %q, want %q", test.text, got, test.want)
		}
	}
}

func BenchmarkFirstUse(b *testing.B) {
	text := encoder(b)
	for b.Loop() {
		u, err := New(b.Context(), text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.ready(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnderstand(b *testing.B) {
	u, in := open(b), read(b, upnext.Item{ID: "i", Kind: "video", Title: "Sourdough bread for beginners", Description: "How to knead the dough and bake a loaf."})
	if _, err := u.ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := u.Understand(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
