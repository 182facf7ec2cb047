package embed

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"upnext"
)

func randomUnit(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	normalize(v)
	return v
}

func space(t testing.TB, weight float64) *Space {
	t.Helper()
	s, err := NewSpace(Model{"words", 512}, Model{"looks", 1280}, weight)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fuse(t testing.TB, s *Space, text, image []float32) []float32 {
	t.Helper()
	v, err := s.Fuse(text, image)
	if err != nil {
		t.Fatal(err)
	}
	if len(v) != s.Dim() {
		t.Fatalf("got %d dimensions, want %d", len(v), s.Dim())
	}
	if n := math.Sqrt(dot32(v, v)); math.Abs(n-1) > 1e-6 {
		t.Fatalf("got length %v, want 1", n)
	}
	return v
}

// Collections on disk were made with these bits: a change of the projection must
// change the space's name (p1), not these sums.
func TestProjectionIsTheSameForEver(t *testing.T) {
	for _, want := range []struct {
		from, to int
		sum      uint64
	}{{512, 384, 0x7437836e73bedb7a}, {1280, 128, 0xecf40a16818d54e7}, {384, 128, 0xef6bf9dfe27f8a68}} {
		p := newProjection(want.from, want.to)
		h := fnv.New64a()
		for _, x := range p.rows {
			b := math.Float32bits(x)
			h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
		if got := h.Sum64(); got != want.sum {
			t.Errorf("%d to %d: got sum %#x, want %#x", want.from, want.to, got, want.sum)
		}
		for i := range p.to {
			for j := range i + 1 {
				got, want := dot32(p.rows[i*p.from:][:p.from], p.rows[j*p.from:][:p.from]), 0.0
				if i == j {
					want = 1
				}
				if math.Abs(got-want) > 1e-6 {
					t.Fatalf("rows %d and %d: got product %v, want %v", i, j, got, want)
				}
			}
		}
	}
}

func TestProjectionKeepsCosines(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, dims := range [][2]int{{512, 384}, {1280, 128}} {
		p := newProjection(dims[0], dims[1])
		var worst, square float64
		const pairs = 200
		for range pairs {
			a, b := randomUnit(rng, p.from), randomUnit(rng, p.from)
			for i := range b { // cosines from 0 to 1
				b[i] += a[i] * float32(rng.Float64())
			}
			normalize(b)
			pa, pb := make([]float32, p.to), make([]float32, p.to)
			p.apply(pa, a)
			p.apply(pb, b)
			d := math.Abs(dot32(pa, pb) - dot32(a, b))
			worst, square = max(worst, d), square+d*d
		}
		// A random projection errs by about √((1 − to/from) / to).
		limit := math.Sqrt((1 - float64(p.to)/float64(p.from)) / float64(p.to))
		if got := math.Sqrt(square / pairs); got > limit*1.1 {
			t.Errorf("%v: cosines err by %.3f (worst %.3f), want ≤ %.3f", dims, got, worst, limit)
		}
	}
}

func TestProjectionOfWhatFits(t *testing.T) {
	out := make([]float32, 4)
	if !newProjection(2, 4).apply(out, []float32{3, 4}) {
		t.Fatal("got no direction")
	}
	if want := []float32{.6, .8, 0, 0}; !slices.Equal(out, want) {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestFuseWeighs(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	s := space(t, 0.8)
	text, other := randomUnit(rng, 512), randomUnit(rng, 512)
	picture, another := randomUnit(rng, 1280), randomUnit(rng, 1280)
	a := fuse(t, s, text, picture)

	if got := dot32(a, fuse(t, s, text, picture)); math.Abs(got-1) > 1e-6 {
		t.Errorf("with itself: got %v, want 1", got)
	}
	b := fuse(t, s, other, another)
	texts := dot32(fuse(t, s, text, nil), fuse(t, s, other, nil))
	pictures := dot32(fuse(t, s, nil, picture), fuse(t, s, nil, another))
	if got, want := dot32(a, b), 0.8*texts+0.2*pictures; math.Abs(got-want) > 1e-6 {
		t.Errorf("two items: got %v, want %v", got, want)
	}
	q, err := s.Query(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dot32(q, a), math.Sqrt(0.8); math.Abs(got-want) > 1e-6 {
		t.Errorf("its own text: got %v, want %v", got, want)
	}
	if got := dot32(q, fuse(t, s, nil, picture)); got != 0 {
		t.Errorf("a text and a mere picture: got %v, want 0", got)
	}
}

func TestFuseRefuses(t *testing.T) {
	s := space(t, 0.8)
	wordsOnly, err := NewSpace(Model{"words", 512}, Model{}, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	text, image := make([]float32, 512), make([]float32, 1280)
	text[0], image[0] = 1, 1
	nan := slices.Clone(text)
	nan[1] = float32(math.NaN())
	for name, bad := range map[string]struct {
		space       *Space
		text, image []float32
	}{
		"neither":         {s, nil, nil},
		"short text":      {s, text[:511], nil},
		"long image":      {s, text, append(slices.Clone(image), 0)},
		"zeros":           {s, make([]float32, 512), nil},
		"not a number":    {s, nan, nil},
		"no model for it": {wordsOnly, text, image},
	} {
		if v, err := bad.space.Fuse(bad.text, bad.image); !errors.Is(err, upnext.ErrInvalid) || v != nil {
			t.Errorf("%s: got %v, %v; want ErrInvalid", name, v != nil, err)
		}
	}
	if _, err := wordsOnly.Fuse(text, nil); err != nil {
		t.Errorf("a space without pictures: got %v, want none", err)
	}
}

func TestSpaceName(t *testing.T) {
	names := map[string]bool{}
	for _, m := range []struct {
		text, image Model
		weight      float64
	}{
		{Model{"a", 512}, Model{"b", 1280}, .8}, {Model{"a", 512}, Model{"b", 1280}, .7},
		{Model{"a", 256}, Model{"b", 1280}, .8}, {Model{"a", 512}, Model{"c", 1280}, .8},
		{Model{"a", 512}, Model{}, .8}, {Model{}, Model{"a", 512}, .8},
	} {
		s, err := NewSpace(m.text, m.image, m.weight)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(s.Name()) || names[s.Name()] {
			t.Errorf("%+v: got name %q, want a new one of [a-z0-9-]", m, s.Name())
		}
		names[s.Name()] = true
	}
	for _, bad := range []struct {
		text, image Model
		weight      float64
	}{
		{Model{}, Model{}, .8}, {Model{"A", 8}, Model{}, .8}, {Model{"a b", 8}, Model{}, .8}, {Model{"a", 0}, Model{}, .8},
		{Model{"a", 8}, Model{}, 0}, {Model{"a", 8}, Model{}, 1}, {Model{"a", 8}, Model{}, math.NaN()},
	} {
		if _, err := NewSpace(bad.text, bad.image, bad.weight); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", bad, err)
		}
	}
}

func TestPool(t *testing.T) {
	got, err := Pool([][]float32{{1, 0}, nil, {0, 1}}, []float32{3, 9, 4})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{.6, .8}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, err = Pool([][]float32{{2, 0}, {0, 2}}, nil); err != nil || got[0] != got[1] {
		t.Errorf("without weights: got %v, %v; want equal shares", got, err)
	}
	for name, bad := range map[string]struct {
		vectors [][]float32
		weights []float32
	}{
		"nothing":        {nil, nil},
		"all nil":        {[][]float32{nil, nil}, nil},
		"few weights":    {[][]float32{{1}, {1}}, []float32{1}},
		"negative":       {[][]float32{{1}, {1}}, []float32{1, -1}},
		"infinite":       {[][]float32{{1}}, []float32{float32(math.Inf(1))}},
		"unequal":        {[][]float32{{1}, {1, 2}}, nil},
		"they cancel":    {[][]float32{{1, 0}, {-1, 0}}, nil},
		"weights of nil": {[][]float32{{1}}, []float32{}},
	} {
		if v, err := Pool(bad.vectors, bad.weights); !errors.Is(err, upnext.ErrInvalid) || v != nil {
			t.Errorf("%s: got %v, %v; want ErrInvalid", name, v, err)
		}
	}
}

func BenchmarkNewSpace(b *testing.B) {
	for b.Loop() {
		space(b, 0.8)
	}
}

func BenchmarkFuse(b *testing.B) {
	s := space(b, 0.8)
	rng := rand.New(rand.NewPCG(3, 3))
	text, image := randomUnit(rng, 512), randomUnit(rng, 1280)
	for b.Loop() {
		fuse(b, s, text, image)
	}
}
