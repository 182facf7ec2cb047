// Package embedtest says what every embed.Embedder promises, as tests.
package embedtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"upnext"
	"upnext/embed"
)

// Test checks an Embedder of one modality. open makes one for each check and
// registers its end with t.Cleanup.
func Test(t *testing.T, of embed.Modality, open func(t *testing.T) embed.Embedder) {
	good, bad := samples(t, of)
	for _, check := range []struct {
		name string
		run  func(*testing.T, embed.Embedder, []embed.Input, []embed.Input)
	}{
		{"Model", testModel},
		{"Vectors", testVectors},
		{"Batches", testBatches},
		{"Partial", testPartial},
		{"AllFailed", testAllFailed},
		{"Nothing", testNothing},
		{"Cancelled", testCancelled},
		{"Concurrent", testConcurrent},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t), good, bad) })
	}
}

// Bench measures an Embedder: one input at a time, and all samples together.
func Bench(b *testing.B, of embed.Modality, open func(b *testing.B) embed.Embedder) {
	good, _ := samples(b, of)
	e := open(b)
	for name, in := range map[string][]embed.Input{"One": good[:1], "Batch": good} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Embed(context.Background(), in...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*len(in)), "ms/input")
		})
	}
}

// same is how near the vectors of equal inputs must be. An endpoint on a GPU
// adds in another order in another batch.
const same = 1 - 1e-6

func testModel(t *testing.T, e embed.Embedder, good, _ []embed.Input) {
	before := e.Model()
	if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(before.ID) || before.Dim <= 0 {
		t.Errorf("got model %+v, want an ID of [a-z0-9-] and some dimensions", before)
	}
	all(t, e, good[:1])
	if after := e.Model(); after != before {
		t.Errorf("got model %+v after use, want %+v as before", after, before)
	}
}

func testVectors(t *testing.T, e embed.Embedder, good, _ []embed.Input) {
	vecs := all(t, e, good)
	for i, v := range vecs {
		for j := range i {
			if c := product(v, vecs[j]); c > .9999 {
				t.Errorf("inputs %d and %d differ and have the same vector (cosine %v)", j, i, c)
			}
		}
	}
}

// Whatever lies beside an input, and in whatever order, its vector is the same.
func testBatches(t *testing.T, e embed.Embedder, good, _ []embed.Input) {
	together := all(t, e, good)
	backwards := slices.Clone(good)
	slices.Reverse(backwards)
	reversed := all(t, e, backwards)
	twice := all(t, e, append(slices.Clone(good), good...))
	for i := range good {
		alone := all(t, e, good[i:i+1])[0]
		for how, v := range map[string][]float32{
			"all together": together[i], "backwards": reversed[len(good)-1-i],
			"twice, first": twice[i], "twice, second": twice[len(good)+i],
		} {
			if c := product(alone, v); c < same {
				t.Errorf("input %d (%s): cosine with itself alone %v, want ≥ %v", i, how, c, same)
			}
		}
	}
}

func testPartial(t *testing.T, e embed.Embedder, good, bad []embed.Input) {
	want := all(t, e, good)
	var mixed []embed.Input
	from := map[int]int{} // position in mixed → in good
	for i := range max(len(good), len(bad)) {
		if i < len(bad) {
			mixed = append(mixed, bad[i])
		}
		if i < len(good) {
			from[len(mixed)] = i
			mixed = append(mixed, good[i])
		}
	}
	got, err := e.Embed(context.Background(), mixed...)
	var partial *embed.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("with %d bad inputs of %d: got error %v, want a *PartialError", len(bad), len(mixed), err)
	}
	if len(got) != len(mixed) {
		t.Fatalf("got %d vectors for %d inputs", len(got), len(mixed))
	}
	for i, in := range mixed {
		at, ok := from[i]
		switch cause := partial.Failed[i]; {
		case ok && (cause != nil || got[i] == nil):
			t.Errorf("good input %d: got %v", i, cause)
		case ok && product(got[i], want[at]) < same:
			t.Errorf("good input %d beside bad ones: cosine with itself %v", i, product(got[i], want[at]))
		case !ok && (got[i] != nil || !errors.Is(cause, upnext.ErrInvalid)):
			t.Errorf("bad input %d (%s): got a vector %v and cause %v, want none and ErrInvalid", i, say(in), got[i] != nil, cause)
		}
	}
}

func testAllFailed(t *testing.T, e embed.Embedder, _, bad []embed.Input) {
	got, err := e.Embed(context.Background(), bad...)
	var partial *embed.PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != len(bad) || len(got) != len(bad) {
		t.Fatalf("got %d vectors and %v; want %d, and a *PartialError with as many causes", len(got), err, len(bad))
	}
	if !errors.Is(err, upnext.ErrInvalid) || err.Error() == "" {
		t.Errorf("got %q, want a message and ErrInvalid", err)
	}
}

func testNothing(t *testing.T, e embed.Embedder, _, _ []embed.Input) {
	if got, err := e.Embed(context.Background()); err != nil || len(got) != 0 {
		t.Errorf("no inputs: got %d vectors and %v, want none and no error", len(got), err)
	}
}

func testCancelled(t *testing.T, e embed.Embedder, good, _ []embed.Input) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := e.Embed(ctx, good...)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	var partial *embed.PartialError
	if errors.As(err, &partial) {
		t.Error("got a *PartialError, which says that the other vectors are valid")
	}
	all(t, e, good[:1]) // it works on
}

func testConcurrent(t *testing.T, e embed.Embedder, good, _ []embed.Input) {
	want := all(t, e, good)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range good {
				at := (i + worker) % len(good)
				got, err := e.Embed(context.Background(), good[at])
				if err != nil || len(got) != 1 || product(got[0], want[at]) < same {
					t.Errorf("worker %d, input %d: got %v, or another vector than alone", worker, at, err)
				}
			}
		})
	}
	wg.Wait()
}

// all embeds inputs that are all good and checks the vectors' shape.
func all(t *testing.T, e embed.Embedder, in []embed.Input) [][]float32 {
	t.Helper()
	out, err := e.Embed(context.Background(), in...)
	if err != nil {
		t.Fatalf("embed %d good inputs: %v", len(in), err)
	}
	if len(out) != len(in) {
		t.Fatalf("got %d vectors for %d inputs", len(out), len(in))
	}
	for i, v := range out {
		if len(v) != e.Model().Dim {
			t.Fatalf("input %d (%s): got %d dimensions, want %d", i, say(in[i]), len(v), e.Model().Dim)
		}
		if n := math.Sqrt(product(v, v)); !(math.Abs(n-1) < 1e-5) {
			t.Fatalf("input %d (%s): got length %v, want 1", i, say(in[i]), n)
		}
	}
	return out
}

func product(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func say(in embed.Input) string {
	if in.Image != nil {
		return fmt.Sprintf("%d bytes of picture", len(in.Image))
	}
	return fmt.Sprintf("%.30q", in.Text)
}

// samples are inputs that must be embedded, and others that cannot be.
func samples(t testing.TB, of embed.Modality) (good, bad []embed.Input) {
	switch of {
	case embed.Text:
		return texts()
	case embed.Image:
		return pictures(t)
	}
	t.Fatalf("embedtest: no samples of %q", of)
	return nil, nil
}

func texts() (good, bad []embed.Input) {
	for _, s := range []string{
		"How to bake sourdough bread at home",
		"猫咪第一次看见雪的反应",
		"a",
		"🎮",
		"🔥🔥 best of 2024 🔥🔥 第三集",
		"tabs\tand\nnew lines\r\nand a zero\x00 byte",
		"broken \xff\xfe UTF-8 \xc3",
		"e\u0301 combined, \u202eturned\u202c, zero\u200bwidth",
		strings.Repeat("a long passage about trains and mountains. ", 400),
		strings.Repeat("没有空格的很长的一段话", 600),
		strings.Repeat("x", 100_000),
	} {
		good = append(good, embed.Input{Text: s})
	}
	for _, s := range []string{"", " ", "\t\n \r"} {
		bad = append(bad, embed.Input{Text: s})
	}
	return good, bad
}

func pictures(t testing.TB) (good, bad []embed.Input) {
	draw := func(w, h int, at func(x, y int) color.NRGBA) image.Image {
		im := image.NewNRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				im.SetNRGBA(x, y, at(x, y))
			}
		}
		return im
	}
	asPNG := func(im image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asJPEG := func(im image.Image) []byte {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, im, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	board := draw(320, 180, func(x, y int) color.NRGBA {
		if (x/40+y/30)%2 == 0 {
			return color.NRGBA{230, 40, 30, 255}
		}
		return color.NRGBA{20, 30, 90, 255}
	})
	ball := draw(200, 300, func(x, y int) color.NRGBA {
		if (x-100)*(x-100)+(y-150)*(y-150) < 6400 {
			return color.NRGBA{250, 210, 40, 255}
		}
		return color.NRGBA{30, uint8(90 + y/3), 60, 255}
	})
	glass := draw(64, 64, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x * 4), 90, uint8(y * 4), uint8(x * 4)} })
	dot := draw(1, 1, func(int, int) color.NRGBA { return color.NRGBA{250, 0, 0, 255} })
	for _, b := range [][]byte{asJPEG(board), asPNG(ball), asPNG(glass), asPNG(dot)} {
		good = append(good, embed.Input{Image: b})
	}
	whole := asJPEG(ball)
	for _, b := range [][]byte{{}, []byte("not a picture"), whole[:len(whole)/2], asPNG(board)[:40]} {
		bad = append(bad, embed.Input{Image: b})
	}
	return good, bad
}
