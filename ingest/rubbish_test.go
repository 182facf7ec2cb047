package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/infra/blob"
	"upnext/ingest"
)

// hugePNG is the head of a picture of 10,000 × 10,000 pixels: what a decoder
// reads before it would take 400 MB.
func hugePNG() string {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), 0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10, 8, 2, 0, 0, 0)
	for _, part := range [][]byte{binary.BigEndian.AppendUint32(nil, 13), head, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head))} {
		out.Write(part)
	}
	return out.String()
}

// TestImportRubbish brings in a folder of every kind of rubbish: each is an
// error at its place, and the sound items beside it come in.
func TestImportRubbish(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	id := func(id, title string) string { return `{"id":"` + id + `","kind":"video","title":"` + title + `"}` }
	write(t, root, map[string]string{
		"01/item.json":       id("truncated", "bread"),
		"01/thumbnail.jpg":   picture(t, color.White)[:300],
		"02/item.json":       id("huge", "butter"),
		"02/thumbnail.png":   hugePNG(),
		"03/item.json":       id("endless", "cheese"),
		"04/item.json":       `{"id":"untitled","kind":"video"}`,
		"05/item.json":       id("with/a/slash", "wine"),
		"06/item.json":       id(strings.Repeat("x", 100_000), "long"),
		"07/item.json":       `[]`,
		"08/item.json":       `{"id":"typo","kind":"video","title":"x","tittle":"y"}`,
		"09/item.json":       "\xff\xfe{\x00",
		"10/item.json":       "",
		"11/item.json":       id("binary", "salt"),
		"11/transcript.srt":  "\x00\x01\xff-->\n\n-->\n1\n00:00 --> \npepper\n",
		"11/comments.ndjson": "{\n\"fine\"\n",
		"12/item.json":       id("empty", "oil"),
		"12/thumbnail.webp":  "",
		"13/item.json":       `{"id":"deep","kind":"video","title":"x","attributes":{"a":{"b":1}}}`,
		"14/item.json":       id("sound", "sugar"),
		"15/item.json":       id("control\\u0007", "bell"),
	})
	long, err := os.Create(filepath.Join(root, "03/transcript.vtt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := long.Truncate(50 << 20); err != nil {
		t.Fatal(err)
	}
	if err := long.Close(); err != nil {
		t.Fatal(err)
	}
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.State != upnext.Succeeded || imp.Total != 15 || imp.Created != 7 || imp.Failed != 8 {
		t.Errorf("import: %+v, want 15 found, 7 created, 8 failed", imp)
	}
	all, err := w.store.Imports.Failures(t.Context(), tenant, imp.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range all {
		if len(f.Detail) > 600 || len(f.Item) > 600 {
			t.Errorf("failure of %s: %d bytes of detail, %d of id: too long to read", f.Key, len(f.Detail), len(f.Item))
		}
		got[f.Key] = f.Stage + " " + f.Cause + ": " + f.Detail
	}
	for key, want := range map[string]string{
		"01/thumbnail.jpg":   "thumbnail thumbnail: picture: unexpected EOF",
		"02/thumbnail.png":   "thumbnail thumbnail: picture: 10000 x 10000 pixels are too many",
		"03/transcript.vtt":  "transcript transcript: object 03/transcript.vtt: 52428800 bytes, 5000000 allowed",
		"04/item.json":       "catalogued invalid: item untitled: title: missing",
		"06/item.json":       "catalogued invalid: item: id: 100000 bytes, 256 allowed",
		"07/item.json":       "read syntax: a JSON array is not an item",
		"08/item.json":       "read invalid: tittle: an item has no such field",
		"09/item.json":       "read syntax: not UTF-8",
		"10/item.json":       "read syntax: EOF",
		"11/comments.ndjson": "comments comments: object 11/comments.ndjson: line 1",
		"12/thumbnail.webp":  "thumbnail thumbnail: picture: ",
		"13/item.json":       "read invalid: attributes/a: ",
		"15/item.json":       "catalogued invalid: item: id: control character U+0007",
	} {
		if !strings.HasPrefix(got[key], want) {
			t.Errorf("failure of %s: %.200q, want %q", key, got[key], want)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("failures beside those: %q", got)
	}
	for query, want := range map[string]upnext.ItemID{"bread": "truncated", "butter": "huge", "cheese": "endless", "wine": "with/a/slash",
		"pepper": "binary", "oil": "empty", "sugar": "sound"} {
		if got := w.found(t, query, 1); !slices.Equal(got, []upnext.ItemID{want}) {
			t.Errorf("search %q: %v, want %s", query, got, want)
		}
	}
}

// TestImportBrokenMovieLens has archives and packed files that break off.
func TestImportBrokenMovieLens(t *testing.T) {
	for name, c := range map[string]struct {
		file, content, want string
	}{
		"tar":     {"posters.tar", strings.Repeat("no archive ", 200), "posters.tar: byte"},
		"extras":  {"movies_extrainfos.dat.gz", zipped(t, strings.Repeat("1::x::y\n", 5000))[:60], "movies_extrainfos.dat"},
		"ratings": {"ratings.dat.gz", "not packed", "ratings.dat.gz"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			root := t.TempDir()
			write(t, root, map[string]string{"movies.dat": "1::Toy Box (1995)::Comedy\n", c.file: c.content})
			im := w.importer(t)
			imp, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: root})
			got := ""
			if err != nil {
				got = err.Error()
			} else if imp, err = im.Wait(t.Context(), tenant, imp.ID); err != nil {
				t.Fatal(err)
			} else if got = imp.Error; imp.State != upnext.Broken {
				t.Errorf("import: %+v, want failed", imp)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("error %q, want %q in it", got, c.want)
			}
		})
	}
}

// full is an object store whose disk is full.
type full struct{ blob.Store }

func (full) Put(context.Context, string, io.Reader) (blob.Info, error) {
	return blob.Info{}, fmt.Errorf("no space left on device: %w", upnext.ErrUnavailable)
}

// TestImportToAFullDisk fails with the cause, leaves no half of an item, and
// succeeds when there is room again.
func TestImportToAFullDisk(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{"a/item.json": `{"id":"a","kind":"video","title":"bread"}`, "a/thumbnail.jpg": picture(t, color.White)})
	room := w.Blobs
	w.Blobs, w.attempts = full{room}, 1
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.State != upnext.Broken || !strings.Contains(imp.Error, "no space left on device") {
		t.Errorf("import: %+v, want failed for lack of space", imp)
	}
	if records, err := w.Catalog.Get(t.Context(), tenant, "a"); err != nil || len(records) != 0 {
		t.Errorf("catalogue: %+v, %v, want nothing of the item", records, err)
	}
	w.Blobs = room
	if imp = bring(t, im, ingest.ImportRequest{Source: root}); imp.State != upnext.Succeeded || imp.Created != 1 || imp.Failed != 0 {
		t.Errorf("import with room: %+v, want succeeded", imp)
	}
}
