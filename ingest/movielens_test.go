package ingest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"image/color"
	"slices"
	"testing"
	"time"

	"upnext"
	"upnext/ingest"
)

// movieFolder is a MovieLens folder in the style of 1M, of three movies.
func movieFolder(t *testing.T, root string) {
	var posters bytes.Buffer
	archive := tar.NewWriter(&posters)
	for _, name := range []string{"1.jpg", "./3.jpg"} {
		data := picture(t, color.RGBA{0, 255, 0, 255})
		if err := archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, root, map[string]string{
		"movies.dat": "1::Toy Box, The (1995)::Animation|Comedy\n2::Caf\xe9 Noir (1950)::Film-Noir\nbroken\n3::No Year::(no genres listed)\n",
		"movies_extrainfos.dat.gz": zipped(t, "1::Toy Box::1995::G::22 Nov 1995::Animation, Family::Ann Lee, Bo Ray::W::Tom Oak::Toys come alive::http://x/y.jpg\n"+
			"2::short\n"),
		"posters_w180.tar": posters.String(),
	})
}

func zipped(t *testing.T, s string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestImportMovieLens(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	movieFolder(t, root)
	write(t, root, map[string]string{"ratings.dat": "7::2::5::978300760\n7::1::3::978300000\n8::1::1::978302109\nbad line\n8::3::9::978302110\n"})
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.State != upnext.Succeeded || imp.Format != ingest.MovieLens || imp.Created != 3 || imp.Failed != 3 || imp.Events != 3 {
		t.Fatalf("import: %+v, want 3 created, 3 failed, 3 events", imp)
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "1", "2", "3")
	if err != nil || len(records) != 3 {
		t.Fatal(records, err)
	}
	toy := records[0].Item
	if toy.Title != "The Toy Box (1995)" || toy.Description != "Toys come alive" || toy.CreatorName != "Ann Lee" ||
		!slices.Equal(toy.Tags, []string{"Animation", "Comedy", "Family"}) || toy.Attributes["year"] != 1995.0 ||
		toy.PublishedAt.Format(time.DateOnly) != "1995-11-22" || toy.Thumbnail == "" {
		t.Errorf("movie 1: %+v", toy)
	}
	if got := records[1].Item; got.Title != "Café Noir (1950)" || got.Thumbnail != "" {
		t.Errorf("movie 2: %+v", got)
	}
	if got := records[2].Item; got.Thumbnail == "" || len(got.Tags) != 0 || w.image.count != 2 {
		t.Errorf("movie 3: %+v, %d pictures embedded", got, w.image.count)
	}
	events, err := w.store.Events.ByViewer(t.Context(), tenant, upnext.ViewerID{ID: "7"}, 10)
	if err != nil || len(events) != 2 {
		t.Fatal(events, err)
	}
	if e := events[0]; e.Item != "2" || e.Kind != upnext.Rate || e.Value != 1 || e.At.After(time.Now().Add(-31*24*time.Hour)) {
		t.Errorf("newest event of 7: %+v", e)
	}
	if got := events[0].At.Sub(events[1].At); got != 760*time.Second {
		t.Errorf("the events lie %v apart, want 760 s", got)
	}
	again := bring(t, im, ingest.ImportRequest{Source: root})
	if again.Unchanged != 3 || again.Events != 3 || again.Failed != 3 {
		t.Errorf("again: %+v, want the same counts", again)
	}
}

func TestImportMovieLensPairs(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	write(t, root, map[string]string{
		"u.item":                "1|Toy Box (1995)|01-Jan-1995||http://x|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n",
		"pairs_original.csv.gz": zipped(t, "user,movie\n1,30\n1,10\n1,20\n"),
		"posters/1.png":         "no picture",
	})
	im := w.importer(t)
	imp := bring(t, im, ingest.ImportRequest{Source: root})
	if imp.Created != 1 || imp.Events != 3 || imp.Causes["thumbnail"] != 1 {
		t.Fatalf("import: %+v", imp)
	}
	events, err := w.store.Events.ByViewer(t.Context(), tenant, upnext.ViewerID{ID: "1"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []upnext.ItemID
	for _, e := range events {
		got = append(got, e.Item)
	}
	if !slices.Equal(got, []upnext.ItemID{"20", "10", "30"}) || events[0].Kind != upnext.View {
		t.Errorf("views, newest first: %v, want 20 10 30", got)
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "1")
	if err != nil || !slices.Equal(records[0].Item.Tags, []string{"Animation", "Children's", "Comedy"}) {
		t.Errorf("movie: %+v, %v", records, err)
	}
}
