package builtin

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/builtin/internal/kernel"
)

const pictures = 8

func picture(t testing.TB, i int) []byte {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("testdata/picture-%d.png", i))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openImage(t testing.TB) *ImageEncoder {
	t.Helper()
	e, err := Image()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// testdata/pictures.vec holds what onnxruntime makes of the original network and
// the same pictures (convert/pictures.py): 1,280 float16 each.
func TestImageIsTheReference(t *testing.T) {
	file, err := os.ReadFile("testdata/pictures.vec")
	if err != nil {
		t.Fatal(err)
	}
	if len(file) != pictures*lookDims*2 {
		t.Fatalf("testdata/pictures.vec holds %d bytes, want %d", len(file), pictures*lookDims*2)
	}
	e := openImage(t)
	net, err := e.net()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range kernel.Levels() {
		for i := range pictures {
			if l == kernel.Plain && i%4 > 0 {
				continue // half a second each
			}
			raw, centred := make([]float32, lookDims), make([]float32, lookDims)
			for k := range raw {
				raw[k] = half(binary.LittleEndian.Uint16(file[(i*lookDims+k)*2:]))
				centred[k] = raw[k] - net.mean[k]
			}
			im, err := decode(picture(t, i))
			if err != nil {
				t.Fatal(err)
			}
			s := newLookScratch()
			resize(s.pixels, im)
			got := net.run(s, l)
			// A plain grey picture is as good as nothing to the network: its length is
			// .005 where others' is 15, and its direction is noise.
			if c := cosine(got, raw); c < .9999 && length(raw) > 1 || math.Abs(length(got)-length(raw)) > .01*length(raw)+.001 {
				t.Errorf("%v: picture %d: cosine with the reference %.6f, length %.3f; want ≥ .9999, %.3f", l, i, c, length(got), length(raw))
			}
			out := embedAll(t, newImage(e.net, l), []embed.Input{{Image: picture(t, i)}})
			if c := cosine(out[0], centred); c < .9999 {
				t.Errorf("%v: picture %d less the mean: cosine with the reference %.6f, want ≥ .9999", l, i, c)
			}
		}
	}
}

func length(v []float32) float64 {
	var n float64
	for _, x := range v {
		n += float64(x) * float64(x)
	}
	return math.Sqrt(n)
}

// fill draws by a function of the place.
func fill(w, h int, at func(x, y int) color.NRGBA) *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			im.SetNRGBA(x, y, at(x, y))
		}
	}
	return im
}

func TestResize(t *testing.T) {
	got := make([]float32, side*side*3)
	value := func(x, y, c int) float64 { return float64(got[(y*side+x)*3+c])*128 + 127 }
	for _, size := range [][2]int{{224, 224}, {1, 1}, {3, 5}, {100, 80}, {640, 480}, {1000, 1000}, {5000, 2}, {2, 5000}} {
		resize(got, fill(size[0], size[1], func(int, int) color.NRGBA { return color.NRGBA{200, 100, 50, 255} }))
		for i := range side * side {
			for c, want := range []float64{200, 100, 50} {
				if v := value(i%side, i/side, c); math.Abs(v-want) > .01 {
					t.Fatalf("%v, one colour: pixel %d channel %d: got %v, want %v", size, i, c, v, want)
				}
			}
		}
	}
	// A ramp stays a ramp, from edge to edge.
	resize(got, fill(256, 256, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), 0, 255} }))
	for i := 2; i < side-2; i++ {
		want := (float64(i)+.5)*256/side - .5
		if x, y := value(i, 100, 0), value(100, i, 1); math.Abs(x-want) > .3 || math.Abs(y-want) > .3 {
			t.Fatalf("ramp at %d: got %v across and %v down, want %v", i, x, y, want)
		}
	}
	// Stripes too fine for the target become grey and no coarser stripes.
	resize(got, fill(1000, 1000, func(x, y int) color.NRGBA {
		v := uint8(255 * ((x + y) % 2))
		return color.NRGBA{v, v, v, 255}
	}))
	for i := range side * side {
		if v := value(i%side, i/side, 0); math.Abs(v-127.5) > 8 {
			t.Fatalf("fine stripes: pixel %d: got %v, want 127.5", i, v)
		}
	}
	// At its own size nothing changes.
	im, err := decode(picture(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	resize(got, im)
	for _, p := range []image.Point{{0, 0}, {223, 223}, {112, 60}, {30, 111}} {
		r, _, _, _ := im.At(p.X, p.Y).RGBA()
		if v := value(p.X, p.Y, 0); math.Abs(v-float64(r>>8)) > .01 {
			t.Errorf("at its own size: pixel %v: got %v, want %v", p, v, r>>8)
		}
	}
}

func TestCrop(t *testing.T) {
	for _, c := range []struct{ in, want image.Rectangle }{
		{image.Rect(0, 0, 400, 300), image.Rect(0, 0, 400, 300)},
		{image.Rect(0, 0, 1920, 1080), image.Rect(240, 0, 1680, 1080)},
		{image.Rect(10, 20, 310, 1020), image.Rect(10, 320, 310, 720)},
		{image.Rect(0, 0, 1, 9), image.Rect(0, 4, 1, 5)},
	} {
		if got := crop(c.in); got != c.want {
			t.Errorf("crop(%v): got %v, want %v", c.in, got, c.want)
		}
	}
}

// The rows of every kind of picture, as far as the decoders make them, are those
// that its At says.
func TestReadRowKinds(t *testing.T) {
	r := image.Rect(3, 5, 12, 14)
	var all []image.Image
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		ycc := image.NewYCbCr(r, ratio)
		for i := range ycc.Y {
			ycc.Y[i] = uint8(i * 7)
		}
		for i := range ycc.Cb {
			ycc.Cb[i], ycc.Cr[i] = uint8(i*31), uint8(255-i*17)
		}
		all = append(all, ycc)
	}
	palette := image.NewPaletted(r, color.Palette{color.Black, color.NRGBA{200, 10, 30, 255}, color.NRGBA{9, 99, 199, 128}})
	all = append(all, palette, image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r), image.NewNRGBA64(r), image.NewCMYK(r))
	for _, im := range all {
		set, ok := im.(interface{ Set(x, y int, c color.Color) })
		for y := r.Min.Y; ok && y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				set.Set(x, y, color.NRGBA{uint8(x * 20), uint8(y * 17), uint8(x * y), uint8(255 - x%3*100)})
			}
		}
		inside := image.Rect(4, 6, 11, 13)
		row := make([]uint8, 3*inside.Dx())
		for y := inside.Min.Y; y < inside.Max.Y; y++ {
			readRow(row, im, inside, y)
			for x := range inside.Dx() {
				for c, want := range overWhite(im.At(inside.Min.X+x, y)) {
					if got := row[3*x+c]; max(got, want)-min(got, want) > 1 {
						t.Fatalf("%T at %d,%d channel %d: got %d, want %d", im, x, y, c, got, want)
					}
				}
			}
		}
	}
}

func encoded(t testing.TB, im image.Image, how string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := png.Encode(&b, im)
	if how == "jpeg" {
		b.Reset()
		err = jpeg.Encode(&b, im, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugePNG says in its header that it has so many pixels, and holds none.
func hugePNG(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, w), h)
	b = append(b, 8, 2, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestImageRefuses(t *testing.T) {
	whole := encoded(t, fill(300, 200, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), 9, 255} }), "jpeg")
	good := picture(t, 0)
	bad := map[string][]byte{
		"no readable":                  []byte("<html>not found</html>"),
		"picture (jpeg, ":              whole[:len(whole)/2],
		"at most 40000000 are decoded": hugePNG(10_000, 10_000),
		"at most 20971520 are read":    make([]byte, MaxImageBytes+1),
		"an empty picture":             {},
		"no readable JPEG":             whole[:20],
		"10000 × 4001":                 hugePNG(10_000, 4_001),
		"dimension overflow":           hugePNG(math.MaxInt32, math.MaxInt32),
	}
	e := openImage(t)
	for want, b := range bad {
		out, err := e.Embed(context.Background(), embed.Input{Image: good}, embed.Input{Image: b}, embed.Input{Image: whole})
		var partial *embed.PartialError
		if !errors.As(err, &partial) || len(partial.Failed) != 1 {
			t.Errorf("%s: got %v, want a PartialError for input 1", want, err)
			continue
		}
		if cause := partial.Failed[1]; !errors.Is(cause, upnext.ErrInvalid) || !strings.Contains(cause.Error(), want) {
			t.Errorf("got %v, want an ErrInvalid with %q", cause, want)
		}
		if out[0] == nil || out[1] != nil || out[2] == nil {
			t.Errorf("%s: got vectors %v %v %v, want the first and last", want, out[0] != nil, out[1] != nil, out[2] != nil)
		}
	}
	if _, err := e.Embed(context.Background(), embed.Input{Text: "hello"}); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a text: got %v, want ErrInvalid", err)
	}
}

// A smaller, recompressed copy is nearly the same picture; another is not.
func TestImageFindsCopies(t *testing.T) {
	var in []embed.Input
	for i := range pictures - 1 {
		in = append(in, embed.Input{Image: picture(t, i)})
	}
	for i := range pictures - 1 {
		im, err := decode(picture(t, i))
		if err != nil {
			t.Fatal(err)
		}
		small := fill(150, 150, func(x, y int) color.NRGBA {
			return color.NRGBAModel.Convert(im.At(x*side/150, y*side/150)).(color.NRGBA)
		})
		in = append(in, embed.Input{Image: encoded(t, small, "jpeg")})
	}
	vecs := embedAll(t, openImage(t), in)
	for i := range pictures - 1 {
		copied := cosine(vecs[i], vecs[i+pictures-1])
		for j := range pictures - 1 {
			if other := cosine(vecs[i], vecs[j]); j != i && other >= copied {
				t.Errorf("picture %d: its copy has cosine %.3f, picture %d has %.3f", i, copied, j, other)
			}
		}
	}
}

// FuzzPicture: no bytes make the decoders panic or go beyond the limits.
func FuzzPicture(f *testing.F) {
	f.Add(picture(f, 7))
	f.Add(encoded(f, fill(9, 7, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), 1, 2, uint8(y)} }), "jpeg"))
	f.Add(hugePNG(100, 100))
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8L\x17\x00\x00\x00\x2f\x00\x00\x00\x00\x07\x10\xfd\x8f\xfe\x07\x22\xa2\xff\x01"))
	out := make([]float32, side*side*3)
	f.Fuzz(func(t *testing.T, b []byte) {
		pixels, err := judge(b)
		if err == nil && pixels > 1_000_000 {
			t.Skip()
		}
		if err == nil {
			var im image.Image
			if im, err = decode(b); err == nil {
				resize(out, im)
				for _, v := range out {
					if v < -1 || v > 1.0001 {
						t.Fatalf("got a pixel of %v, want -1 to 1", v)
					}
				}
			}
		}
		if err != nil && !errors.Is(err, upnext.ErrInvalid) {
			t.Fatalf("got %v, want ErrInvalid", err)
		}
	})
}

func BenchmarkImage(b *testing.B) {
	e := openImage(b)
	in := []embed.Input{{Image: picture(b, 1)}}
	embedAll(b, e, in)
	for _, l := range kernel.Levels() {
		b.Run(l.String(), func(b *testing.B) {
			e := newImage(e.net, l)
			for b.Loop() {
				embedAll(b, e, in)
			}
		})
	}
}

// Decoding and resizing alone, of a 640 × 360 thumbnail.
func BenchmarkPicture(b *testing.B) {
	jpg := encoded(b, fill(640, 360, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x ^ y), uint8(y), uint8(x), 255} }), "jpeg")
	out := make([]float32, side*side*3)
	for b.Loop() {
		im, err := decode(jpg)
		if err != nil {
			b.Fatal(err)
		}
		resize(out, im)
	}
}

func BenchmarkImageLoad(b *testing.B) {
	for b.Loop() {
		if _, err := readLooks(looksWeights); err != nil {
			b.Fatal(err)
		}
	}
}

// One large picture is decoded at a time; who waits for another can be called off.
func TestLargePicturesWait(t *testing.T) {
	e := openImage(t)
	large := encoded(t, image.NewGray(image.Rect(0, 0, 2100, 2000)), "png")
	e.large <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := e.Embed(ctx, embed.Input{Image: large})
		done <- err
	}()
	embedAll(t, e, []embed.Input{{Image: picture(t, 0)}}) // a small one passes by
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("while another is decoded: got %v, want context.Canceled", err)
	}
	<-e.large
	embedAll(t, e, []embed.Input{{Image: large}})
	if len(e.large) != 0 {
		t.Error("the large picture's turn was not given back")
	}
}
