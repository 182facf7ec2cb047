package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/ingest"
)

// tree is a source of folders: of each kind of transcript one, a folder within
// an item's, and rubbish.
func tree(t *testing.T) map[string]string {
	return map[string]string{
		"bread/item.json":        `{"id":"bread","kind":"video","title":"baking","attributes":{"year":2020}}`,
		"bread/thumbnail.jpg":    picture(t, color.RGBA{255, 0, 0, 255}),
		"bread/transcript.vtt":   "WEBVTT\n\n00:00.000 --> 00:01.000\nsourdough\n",
		"bread/comments.ndjson":  "\"crusty\"\n{\"author\":\"x\",\"text\":\"crunchy\"}\n",
		"bread/more/item.json":   `{"id":"more/bread","kind":"short","title":"rolls"}`,
		"sea/item.json":          `{"id":"sea","kind":"music","title":"waves","thumbnail":"art/cover.jpg"}`,
		"sea/art/cover.jpg":      picture(t, color.RGBA{0, 0, 255, 255}),
		"sea/transcript.srt":     "1\n00:00:00,000 --> 00:00:01,000\nlighthouse\n",
		"sky/item.json":          `{"id":"sky","kind":"article","title":"clouds"}`,
		"sky/transcript.txt":     "cumulus",
		"sky/README.md":          "not a part",
		"x/broken/item.json":     `{"id":"broken",`,
		"x/orphan/thumbnail.jpg": "picture without an item",
		"x/typed/item.json":      `{"id":"typed","kind":"video","title":"t","duration_ms":"long"}`,
	}
}

func TestImportFolders(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, tree(t))
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.State != upnext.Succeeded || imp.Format != ingest.Folders || imp.Total != 7 || imp.Created != 4 || imp.Failed != 3 {
		t.Errorf("import: %+v, want succeeded, folders, 7 found, 4 created, 3 failed", imp)
	}
	if want := map[string]int64{"syntax": 1, "missing": 1, "invalid": 1}; !maps.Equal(imp.Causes, want) {
		t.Errorf("causes %v, want %v", imp.Causes, want)
	}
	want := []string{"read invalid x/typed/item.json:0", "read missing x/orphan/item.json:0", "read syntax x/broken/item.json:0"}
	got := failures(t, w, imp.ID)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
	for query, want := range map[string]upnext.ItemID{"sourdough": "bread", "crunchy": "bread", "lighthouse": "sea", "cumulus": "sky", "rolls": "more/bread"} {
		if got := w.found(t, query, 1); !slices.Equal(got, []upnext.ItemID{want}) {
			t.Errorf("search %q: %v, want %s", query, got, want)
		}
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "sea")
	if err != nil || len(records) != 1 || !strings.HasPrefix(records[0].Item.Thumbnail, "default/objects/") {
		t.Fatalf("sea in the catalogue: %+v, %v, want a thumbnail in the store", records, err)
	}
	if _, err := w.Blobs.Stat(t.Context(), records[0].Item.Thumbnail); err != nil {
		t.Error(err)
	}
	schema, err := w.Schemas.Schema(t.Context(), tenant, "items")
	if err != nil || len(schema) != 1 || schema[0].Name != "year" || schema[0].Type != upnext.Number {
		t.Errorf("schema %v, %v, want year, a number", schema, err)
	}
	for info, err := range w.Blobs.List(t.Context(), "default/imports/", "") {
		t.Errorf("an ended import left %s behind (%v)", info.Key, err)
	}
}

func TestImportAgain(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	files := tree(t)
	write(t, root, files)
	im := w.importer(t)
	bring(t, im, ingest.ImportRequest{Source: root})
	texts, pictures := w.text.calls(), w.image.count

	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.Unchanged != 4 || imp.Created+imp.Updated != 0 || imp.Failed != 3 || w.text.calls() != texts || w.image.count != pictures {
		t.Errorf("the same again: %+v, %d texts and %d pictures embedded", imp, w.text.calls()-texts, w.image.count-pictures)
	}
	write(t, root, map[string]string{"sky/transcript.txt": "thunderstorm"})
	imp = bring(t, im, ingest.ImportRequest{Source: root})
	if imp.Unchanged != 3 || imp.Updated != 1 {
		t.Errorf("with one new transcript: %+v, want one updated", imp)
	}
	if got := w.found(t, "thunderstorm", 1); !slices.Equal(got, []upnext.ItemID{"sky"}) {
		t.Errorf("search finds %v, want sky", got)
	}
}

func TestImportReconciles(t *testing.T) {
	for _, c := range []struct {
		action upnext.OnMissing
		active int // items left that are there and active
		there  int
	}{{upnext.KeepMissing, 2, 2}, {upnext.HideMissing, 1, 2}, {upnext.DeleteMissing, 1, 1}} {
		t.Run(string(c.action), func(t *testing.T) {
			w := newWorld(t)
			root := t.TempDir()
			write(t, root, map[string]string{
				"a/item.json": `{"id":"a","kind":"video","title":"bread"}`,
				"b/item.json": `{"id":"b","kind":"video","title":"butter"}`})
			put(t, w, item("api", "made by the API"))
			im := w.importer(t)
			bring(t, im, ingest.ImportRequest{Source: root})
			if err := os.RemoveAll(filepath.Join(root, "b")); err != nil {
				t.Fatal(err)
			}
			write(t, root, map[string]string{"c/item.json": `{"id":`})
			imp := bring(t, im, ingest.ImportRequest{Source: root, OnMissing: c.action})
			if skipped := imp.Causes["skipped"] == 1; skipped != (c.action != upnext.KeepMissing) {
				t.Errorf("causes %v, want skipped where something else than keep was asked", imp.Causes)
			}
			if got := len(w.found(t, "bread", 9)); got != 3 {
				t.Errorf("beside an unreadable item %d items are left, want all 3: it may be one of them", got)
			}
			write(t, root, map[string]string{"c/item.json": `{"id":"a","kind":"video","title":"bread"}`})
			imp = bring(t, im, ingest.ImportRequest{Source: root, OnMissing: c.action})
			if imp.State != upnext.Succeeded || imp.Missing != 1 {
				t.Errorf("import: %+v, want succeeded with one missing", imp)
			}
			if got := len(w.found(t, "butter", 9)); got != c.there+1 {
				t.Errorf("%d items in the index, want %d and that of the API", got, c.there)
			}
			if got := len(search(t, w, "status == 'active'")); got != c.active+1 {
				t.Errorf("%d active items, want %d and that of the API", got, c.active)
			}
		})
	}
}

func TestImportManifests(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{
		"a.ndjson": "\ufeff" + `{"id":"one","kind":"video","title":"bread","thumbnail":"p/red.jpg"}` + "\n\n" +
			`{"id":"two","kind":"video","title":"butter","transcript":"t/two.txt"}` + "\r\n" +
			`{"id":"a/b","kind":"video","title":"cheese"}` + "\n" +
			`{"id":"untitled","kind":"video"}` + "\n" +
			`{"id":"gone","kind":"video","title":"wine","thumbnail":"p/none.jpg"}` + "\n" +
			`{"id":"seven", broken` + "\n" +
			`{"id":"out","kind":"video","title":"escape","thumbnail":"../../etc/passwd"}` + "\n" +
			`{"id":"` + strings.Repeat("x", 100_000) + `","kind":"video","title":"long"}` + "\n" +
			`{"id":"last","kind":"video","title":"salt"}`,
		"p/red.jpg": picture(t, color.RGBA{255, 0, 0, 255}),
		"t/two.txt": "margarine",
	})
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: filepath.Join(root, "a.ndjson")})
	if imp.State != upnext.Succeeded || imp.Total != 9 || imp.Created != 6 || imp.Failed != 3 {
		t.Errorf("import: %+v, want 9 found, 6 created, 3 failed", imp)
	}
	want := []string{"catalogued invalid a.ndjson:5", "catalogued invalid a.ndjson:9", "read syntax a.ndjson:7",
		"thumbnail missing p/none.jpg:6", "thumbnail thumbnail etc/passwd:8"}
	got := failures(t, w, imp.ID)
	slices.Sort(got)
	if got[4] = strings.ReplaceAll(got[4], "../", ""); !slices.Equal(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
	for query, want := range map[string]upnext.ItemID{"bread": "one", "margarine": "two", "cheese": "a/b", "salt": "last"} {
		if got := w.found(t, query, 1); !slices.Equal(got, []upnext.ItemID{want}) {
			t.Errorf("search %q: %v, want %s", query, got, want)
		}
	}
}

func TestImportCSV(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{"items.csv": "id,kind,title,tags,duration_ms,attributes.year:number,attributes.code\n" +
		"a,video,\"bread,\nand butter\",cooking|baking,1500,1999,007\n" +
		"b,video,short row\n" +
		"c,video,cheese,,long,,\n" +
		"d,video,wine,,,nineteen,\n" +
		"e,video,sa\"lt,,,,\n" +
		"f,video,pepper,,,,\n"})
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root, Format: ingest.CSV})
	want := []string{"read invalid items.csv:5", "read invalid items.csv:6", "read syntax items.csv:4", "read syntax items.csv:7"}
	got := failures(t, w, imp.ID)
	if slices.Sort(got); imp.Created != 2 || !slices.Equal(got, want) {
		t.Errorf("%d created, failures %q, want 2 and %q", imp.Created, got, want)
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "a")
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	it := records[0].Item
	if it.Title != "bread,\nand butter" || !slices.Equal(it.Tags, []string{"cooking", "baking"}) || it.Duration != 1500*time.Millisecond ||
		it.Attributes["year"] != 1999.0 || it.Attributes["code"] != "007" {
		t.Errorf("item a: %+v", it)
	}
}

func TestImportFromTheObjectStore(t *testing.T) {
	w := newWorld(t)
	for key, content := range tree(t) {
		if _, err := w.Blobs.Put(t.Context(), "default/shop/"+key, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: "blob:default/shop/"})
	if imp.State != upnext.Succeeded || imp.Created != 4 {
		t.Fatalf("import: %+v", imp)
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "sea")
	if err != nil || records[0].Item.Thumbnail != "default/shop/sea/art/cover.jpg" {
		t.Errorf("thumbnail: %+v, %v, want the object's own key", records, err)
	}
	imp = bring(t, im, ingest.ImportRequest{Source: "blob:default/shop"})
	if imp.Unchanged != 4 {
		t.Errorf("again, without the slash: %+v, want 4 unchanged", imp)
	}
}

func TestStartRefuses(t *testing.T) {
	w := newWorld(t)
	im := w.importer(t)
	root := t.TempDir()
	write(t, root, map[string]string{"bad.csv": "id,titel\n", "some.txt": "x", "sub/twice.csv": "id,id\n"})
	for source, want := range map[string]string{
		"":                              "source: missing",
		"s3://bucket/x":                 "no buckets are open",
		"file://host/x":                 "not like file:///folder",
		"blob:other/x":                  `keys of tenant default begin with "default/"`,
		"blob:default/../other":         `keys of tenant default begin with "default/"`,
		"blob:default/none":             "there is nothing",
		filepath.Join(root, "none"):     "there is no such file or folder",
		filepath.Join(root, "bad.csv"):  `column 2: "titel": an item has no such field`,
		filepath.Join(root, "some.txt"): "a manifest is *.ndjson or *.csv",
		root + "/sub/twice.csv":         `"id" comes twice`,
	} {
		_, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: source})
		if !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("start %q: %v, want an ErrInvalid with %q", source, err, want)
		}
	}
	if _, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: root, Format: "xml"}); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("start with another format: %v", err)
	}
	if _, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: root, OnMissing: "burn"}); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("start with another on_missing: %v", err)
	}
	list, err := w.store.Imports.ListImports(t.Context(), tenant, 10)
	if err != nil || len(list) != 0 {
		t.Errorf("refused imports are kept: %v, %v", list, err)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, `{"id":"%d","kind":"video","title":"title %d"}`+"\n", i, i)
	}
	write(t, root, map[string]string{"items.ndjson": lines.String()})
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	w.text.each = func(embed.Input) {
		select {
		case begun <- struct{}{}:
		default:
		}
		<-goOn
	}
	im := w.importer(t)
	imp, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: root})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	imp, err = im.Cancel(t.Context(), tenant, imp.ID)
	close(goOn)
	if err != nil || imp.State != upnext.Cancelled || imp.EndedAt.IsZero() {
		t.Errorf("cancel: %+v, %v", imp, err)
	}
	if _, err := im.Cancel(t.Context(), tenant, imp.ID); err != nil {
		t.Errorf("cancel again: %v", err)
	}
	if _, err := im.Cancel(t.Context(), tenant, "imp_none"); !errors.Is(err, upnext.ErrNotFound) {
		t.Errorf("cancel of none: %v, want ErrNotFound", err)
	}
	// Another import runs to its end, and what was cut short comes in.
	if imp = bring(t, im, ingest.ImportRequest{Source: root}); imp.State != upnext.Succeeded || imp.Created+imp.Unchanged+imp.Updated != 1000 {
		t.Errorf("import after a cancelled one: %+v", imp)
	}
	if _, err := im.Cancel(t.Context(), tenant, imp.ID); !errors.Is(err, upnext.ErrConflict) {
		t.Errorf("cancel of one that has succeeded: %v, want ErrConflict", err)
	}
	if got := len(w.found(t, "title", 2000)); got != 1000 {
		t.Errorf("%d items in the index, want 1000", got)
	}
}

func TestImportSurvivesAnEngineThatIsAway(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{"a/item.json": `{"id":"a","kind":"video","title":"bread"}`})
	failed := make(chan struct{}, 10)
	w.Text, w.attempts = away{w.text, failed}, 1 // an endpoint's absence counts as none
	im := w.importer(t)
	imp, err := im.Start(t.Context(), tenant, ingest.ImportRequest{Source: root})
	if err != nil {
		t.Fatal(err)
	}
	<-failed
	eventually(t, "the import says why it waits", func() bool {
		now, err := w.store.Imports.Import(t.Context(), tenant, imp.ID)
		return err == nil && now.State == upnext.Running && strings.Contains(now.Error, "away")
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if imp, err = im.Wait(ctx, tenant, imp.ID); err != nil || imp.State != upnext.Succeeded || imp.Error != "" {
		t.Errorf("import: %+v, %v, want succeeded at the second attempt", imp, err)
	}
	if got := w.found(t, "bread", 1); len(got) != 1 {
		t.Error("the item is not searchable")
	}
}

// away fails the first time.
type away struct {
	*words
	failed chan struct{}
}

func (a away) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	if len(a.failed) == 0 && a.calls() == 0 {
		a.mu.Lock()
		a.seen = append(a.seen, "")
		a.mu.Unlock()
		a.failed <- struct{}{}
		return nil, fmt.Errorf("away: %w", upnext.ErrUnavailable)
	}
	return a.words.Embed(ctx, inputs...)
}
