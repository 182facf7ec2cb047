package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin/internal/kernel"
)

// title is a line of testdata/titles.json: a small catalogue written by hand,
// 8 topics of 14 titles, half of them Chinese.
type title struct{ topic, language, text string }

func text(t testing.TB) *TextEncoder {
	t.Helper()
	e, err := Text()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func readTitles(t testing.TB) []title {
	t.Helper()
	b, err := os.ReadFile("testdata/titles.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Items [][3]string }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var titles []title
	for _, it := range file.Items {
		titles = append(titles, title{it[0], it[1], it[2]})
	}
	return titles
}

func texts(titles []title) []embed.Input {
	var in []embed.Input
	for _, ti := range titles {
		in = append(in, embed.Input{Text: ti.text})
	}
	return in
}

func embedAll(t testing.TB, e embed.Embedder, in []embed.Input) [][]float32 {
	t.Helper()
	out, err := e.Embed(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// testdata/titles.vec holds what the reference program gave for the same texts,
// 512 signed bytes each: the titles, all of them joined (more than 512 pieces),
// ten at a time joined, and two odd ones.
func TestTextIsTheReference(t *testing.T) {
	in := texts(readTitles(t))
	join := func(in []embed.Input) embed.Input {
		var all []string
		for _, i := range in {
			all = append(all, i.Text)
		}
		return embed.Input{Text: strings.Join(all, ". ")}
	}
	all := slices.Clone(in)
	all = append(all, join(in))
	for ten := range slices.Chunk(in, 10) {
		all = append(all, join(ten))
	}
	all = append(all, embed.Input{Text: "ＦＵＬＬ width ① ㍿ ﬁne\t tabs \u00a0 nbsp"}, embed.Input{Text: "emoji 🎮🔥 and русский, العربية"})
	file, err := os.ReadFile("testdata/titles.vec")
	if err != nil {
		t.Fatal(err)
	}
	if len(file) != len(all)*wide {
		t.Fatalf("testdata/titles.vec holds %d bytes, want %d", len(file), len(all)*wide)
	}
	for i, got := range embedAll(t, text(t), all) {
		want := make([]float32, wide)
		for k := range want {
			want[k] = float32(int8(file[i*wide+k]))
		}
		if c := cosine(got, want); c < .999 {
			t.Errorf("text %d %.40q: cosine with the reference %.5f, want ≥ .999", i, all[i].Text, c)
		}
	}
}

// What the encoder is for: of the five nearest titles .782 are on the same
// topic, and .48 of them in the other language (.5 would be blind to it).
func TestTextFindsTopics(t *testing.T) {
	titles := readTitles(t)
	vecs := embedAll(t, text(t), texts(titles))
	var topic, other float64
	for i, ti := range titles {
		order := make([]int, 0, len(titles)-1)
		for j := range titles {
			if j != i {
				order = append(order, j)
			}
		}
		slices.SortFunc(order, func(a, b int) int {
			return int(math.Copysign(1, cosine(vecs[i], vecs[b])-cosine(vecs[i], vecs[a])))
		})
		for _, j := range order[:5] {
			if titles[j].topic == ti.topic {
				topic++
			}
			if titles[j].language != ti.language {
				other++
			}
		}
	}
	topic /= float64(5 * len(titles))
	other /= float64(5 * len(titles))
	t.Logf("on the same topic %.3f, in the other language %.3f", topic, other)
	if topic < .775 {
		t.Errorf("on the same topic: got %.3f of the five nearest, want ≥ .775", topic)
	}
	if other < .44 || other > .56 {
		t.Errorf("in the other language: got %.3f of the five nearest, want .44 to .56", other)
	}
}

func TestTextLevelsAgree(t *testing.T) {
	in := texts(readTitles(t))[:9]
	net := text(t).net
	want := embedAll(t, newText(net, kernel.Plain), in)
	for _, l := range kernel.Levels() {
		for i, got := range embedAll(t, newText(net, l), in) {
			if !slices.Equal(got, want[i]) {
				t.Errorf("%v: %q differs from the plain path", l, in[i].Text)
			}
		}
	}
}

func TestTextRefusesPictures(t *testing.T) {
	out, err := text(t).Embed(context.Background(), embed.Input{Image: []byte{1}}, embed.Input{Text: "hello"})
	var partial *embed.PartialError
	if !errors.As(err, &partial) || !errors.Is(partial.Failed[0], upnext.ErrInvalid) || len(partial.Failed) != 1 {
		t.Fatalf("got %v, want a PartialError for input 0", err)
	}
	if out[0] != nil || out[1] == nil {
		t.Errorf("got vectors %v, %v; want only the second", out[0] != nil, out[1] != nil)
	}
}

func benchmarkText(b *testing.B, in []embed.Input) {
	net := text(b).net
	for _, l := range kernel.Levels() {
		b.Run(l.String(), func(b *testing.B) {
			e := newText(net, l)
			for b.Loop() {
				embedAll(b, e, in)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*len(in)), "ms/text")
		})
	}
}

func BenchmarkTextTitle(b *testing.B) { benchmarkText(b, texts(readTitles(b))) }

func BenchmarkTextTitleAlone(b *testing.B) { benchmarkText(b, texts(readTitles(b))[2:3]) }

// Some 100 English words.
func BenchmarkTextPassage(b *testing.B) {
	var words []string
	for _, ti := range readTitles(b) {
		if ti.language == "en" {
			words = append(words, strings.Fields(ti.text)...)
		}
	}
	var in []embed.Input
	for hundred := range slices.Chunk(words[:len(words)/100*100], 100) {
		in = append(in, embed.Input{Text: strings.Join(hundred, " ")})
	}
	benchmarkText(b, in)
}

func BenchmarkTextLoad(b *testing.B) {
	for b.Loop() {
		if _, err := readSentence(sentenceWeights); err != nil {
			b.Fatal(err)
		}
	}
}
