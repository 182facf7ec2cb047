package ingest

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"upnext"
)

func TestTranscript(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		" just words. ": "just words.",
		"\ufeffWEBVTT - a title\nKind: captions\n\nNOTE hidden\nstill hidden\n\nSTYLE\n::cue {}\n\n1\n00:01.000 --> 00:02.000 align:start\n<v Ann>Hello &amp; <i>welcome</i>\nto us\n\n00:02.000 --> 00:03.000\nto us\n": "Hello & welcome\nto us\nto us",
		"1\r\n00:00:00,000 --> 00:00:01,000\r\n{\\an8}One\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\n2001\r\n":                                                                                                         "One\n2001",
		"1\n00:00:00,000 -->\nno end\n2\n-->\nnothing\n": "no end\nnothing",
		"00:00 --> 00:01\nfirst part\n\nsecond part\n":   "first part\nsecond part",
		"WEBVTT":          "",
		"bad \xff bytes":  "bad  bytes",
		"a<b and c>d":     "a<b and c>d",
		"x --> y\n< open": "< open",
	} {
		if got := Transcript(in); got != want {
			t.Errorf("Transcript(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzTranscript(f *testing.F) {
	f.Add("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>x\n")
	f.Add("1\n-->\n-->\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := Transcript(s)
		if !utf8.ValidString(got) || strings.HasPrefix(s, "WEBVTT") && strings.Contains(got, "-->") && !strings.Contains(s, "&") && !strings.Contains(s, "<") && !strings.Contains(s, "{") {
			t.Errorf("Transcript(%q) = %q", s, got)
		}
	})
}

func FuzzEachLine(f *testing.F) {
	f.Add("a\n\n bb \r\ntoolongline\nlast", 8)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 1 || limit > 1000 {
			return
		}
		all := strings.SplitAfter(s, "\n")
		for l, err := range eachLine(strings.NewReader(s), limit) {
			if err != nil {
				t.Fatal(err)
			}
			raw := all[l.number-1]
			if s[l.offset:l.offset+l.size] != raw {
				t.Fatalf("line %d of %q: bytes %d+%d are not %q", l.number, s, l.offset, l.size, raw)
			}
			if l.long != (len(raw) > limit) {
				t.Fatalf("line %d of %q: long %v with %d bytes, %d allowed", l.number, s, l.long, len(raw), limit)
			}
			want := strings.TrimSpace(raw)
			if l.number == 1 {
				want = strings.TrimPrefix(want, "\ufeff")
			}
			if !l.long && string(l.text) != want {
				t.Fatalf("line %d of %q: %q, want %q", l.number, s, l.text, want)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add("id,kind,title,attributes.n:number,tags\n", "a,video,\"x\ny\",1,p|q\n")
	f.Add("id,comments\n", "a,c.ndjson\n")
	f.Fuzz(func(t *testing.T, header, row string) {
		names, err := newCSV(strings.NewReader(header)).Read()
		if err != nil {
			return
		}
		h, err := parseHeader(names)
		if err != nil {
			return
		}
		it, err := h.parseRow([]byte(row), nil)
		if err == nil && len(it.Attributes) > len(names) {
			t.Errorf("row %q below %q: %+v", row, header, it)
		}
	})
}

func FuzzMovie(f *testing.F) {
	f.Add("1::Toy Box, The (1995)::A|B", 0)
	f.Add("1|Toy Box (1995)|01-Jan-1995||x|0|1", 1)
	f.Add(`1,"Box, The (1995)",A|B`, 2)
	f.Fuzz(func(t *testing.T, s string, kind int) {
		m := &movieLens{style: style(kind), extras: map[string][]string{"1": strings.Split("1::x::y::G::22 Nov 1995::A::B::C::D::E", "::")}}
		it, err := m.parse([]byte(s))
		if err == nil && !utf8.ValidString(it.Title) {
			t.Errorf("parse(%q): title %q is not UTF-8", s, it.Title)
		}
	})
}

func FuzzRating(f *testing.F) {
	f.Add("1::2::3::978300760", 0)
	f.Add("1\t2\t3\t881250949", 1)
	f.Add("1,2,3.5,1112486027", 2)
	f.Add("1,2", 3)
	f.Fuzz(func(t *testing.T, s string, file int) {
		h := &ratings{name: ratingFiles[((file%4)+4)%4]}
		now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		r := h.parse(line{number: 1, text: []byte(s)})
		if r.problem != "" {
			return
		}
		e := clock{now: now, newest: r.at}.event(r)
		if e.At.After(now.Add(-historyAge)) || math.IsNaN(e.Value) || e.Value < 0 || e.Value > 1 {
			t.Errorf("rating %q: event %+v", s, e)
		}
	})
}

// TestFolderListsInByteOrder compares with the keys sorted: a folder stands
// where its keys do, not where its name does.
func TestFolderListsInByteOrder(t *testing.T) {
	root := t.TempDir()
	keys := []string{"a-b", "a.txt", "a/b", "a/b-c", "a/b.c/d", "a0", "b/x/y", "é"}
	for _, k := range append(keys, ".hidden", ".git/config") {
		name := filepath.Join(root, k)
		if k == "a/b" {
			name = filepath.Join(root, "a/b/z")
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	keys[2] = "a/b/z"
	slices.Sort(keys)
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	f := folder{r}
	for _, after := range append([]string{"", "a", "a/", "zz"}, keys...) {
		for _, prefix := range []string{"", "a", "a/", "a/b", "b/x/y", "c"} {
			var got, want []string
			for info, err := range f.List(t.Context(), prefix, after) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, info.Key)
			}
			for _, k := range keys {
				if k > after && strings.HasPrefix(k, prefix) {
					want = append(want, k)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("list prefix %q after %q: %q, want %q", prefix, after, got, want)
			}
		}
	}
	for _, key := range []string{"../x", "link", "/etc/passwd", "a/../../x"} {
		if in, _, err := f.Open(context.Background(), key, 0); err == nil {
			_ = in.Close()
			t.Errorf("open %s: no error", key)
		} else if !ours(err) {
			t.Errorf("open %s: %v, want an error about the file", key, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPlainTitle(t *testing.T) {
	for in, want := range map[string]string{
		"Matrix, The (1999)": "The Matrix (1999)", "Toy Story (1995)": "Toy Story (1995)", "Avventura, L' (1960)": "L'Avventura (1960)",
		"And, So It Goes (2014)": "And, So It Goes (2014)", "Heat": "Heat", "Seven (Se7en) (1995)": "Seven (Se7en) (1995)", ", The": ", The",
	} {
		if got := plainTitle(in); got != want {
			t.Errorf("plainTitle(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClockKeepsTheOrder(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	last := time.Time{}
	for _, lineNumber := range []int{1, 2, 3, 1_000_000, 25_000_000} {
		at := clock{now: now}.at(rating{line: lineNumber})
		if !at.After(last) || at.After(now.Add(-historyAge)) || at.Before(now.Add(-historyAge-historySpan)) {
			t.Errorf("line %d: %v after %v", lineNumber, at, last)
		}
		last = at
	}
	c := clock{now: now, newest: 1000}
	if got, want := c.at(rating{at: 1000}), now.Add(-historyAge); !got.Equal(want) {
		t.Errorf("newest at %v, want %v", got, want)
	}
	if got, want := c.at(rating{at: 400}), now.Add(-historyAge-600*time.Second); !got.Equal(want) {
		t.Errorf("older at %v, want %v", got, want)
	}
}

func TestParseSource(t *testing.T) {
	for in, want := range map[string]string{
		"/data/a b/": "file:///data/a%20b", "file:///data/x": "file:///data/x", "file:///data/a%20b": "file:///data/a%20b",
		"blob:default/x/": "blob:default/x", "blob:default/x": "blob:default/x",
		"s3://films": "s3://films", "s3://films/": "s3://films", "s3://films/a b//2024/": "s3://films/a b/2024", "s3://films/../x/m.csv": "s3://films/x/m.csv",
	} {
		p, err := parseSource("default", in)
		got := p.clean
		if err != nil || got != want {
			t.Errorf("parseSource(%q) = %q, %v, want %q", in, got, err, want)
			continue
		}
		if again, err := parseSource("default", got); err != nil || again.clean != got {
			t.Errorf("parseSource(%q) = %q, %v, want itself", got, again.clean, err)
		}
	}
}

func TestParseSourceRefuses(t *testing.T) {
	for _, in := range []string{"s3:films", "s3://", "s3:///x", "s3://me:secret@films/x", "s3://films?endpoint=http://me:secret@host", "s3://films:9000/x", "s3://films/x?endpoint=y", "s3://*"} {
		_, err := parseSource("default", in)
		if !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("parseSource(%q): %v, want ErrInvalid", in, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("parseSource(%q): the error tells the secret: %v", in, err)
		}
	}
}

func TestHashSeesWhatVectorsAreMadeOf(t *testing.T) {
	p := &Pipeline{}
	base := upnext.Item{ID: "a", Kind: "video", Title: "t", Attributes: map[string]any{"by": "x", "price": 1.0}}
	schema := upnext.Schema{{Name: "by", Type: upnext.String, Embedded: true}, {Name: "price", Type: upnext.Number}}
	first, err := p.hash(t.Context(), schema, base)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*upnext.Item)
		differ bool
	}{
		"title":         {func(it *upnext.Item) { it.Title = "u" }, true},
		"tags":          {func(it *upnext.Item) { it.Tags = []string{"x"} }, true},
		"transcript":    {func(it *upnext.Item) { it.Transcript = "words said" }, true},
		"embedded":      {func(it *upnext.Item) { it.Attributes = map[string]any{"by": "y", "price": 1.0} }, true},
		"thumbnail":     {func(it *upnext.Item) { it.Thumbnail = "default/objects/" + strings.Repeat("a", 40) + ".jpg" }, true},
		"price":         {func(it *upnext.Item) { it.Attributes = map[string]any{"by": "x", "price": 2.0} }, false},
		"status":        {func(it *upnext.Item) { it.Status = upnext.Hidden }, false},
		"creator's id":  {func(it *upnext.Item) { it.CreatorID = "c" }, false},
		"empty tags":    {func(it *upnext.Item) { it.Tags = []string{} }, false},
		"published now": {func(it *upnext.Item) { it.PublishedAt = time.Now() }, false},
	} {
		it := base
		c.change(&it)
		got, err := p.hash(t.Context(), schema, it)
		if err != nil || (got != first) != c.differ {
			t.Errorf("another %s: hash %s, %v after %s, want another: %v", name, got, err, first, c.differ)
		}
	}
}
