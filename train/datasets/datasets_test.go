package datasets_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/learn"
	"upnext/learn/split"
	"upnext/train/datasets"
)

// folder holds files, by name; those named .gz are zipped.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		var b bytes.Buffer
		if strings.HasSuffix(name, ".gz") {
			w := gzip.NewWriter(&b)
			fmt.Fprint(w, content)
			w.Close()
		} else {
			b.WriteString(content)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSequences(t *testing.T) {
	dir := folder(t, map[string]string{"ml-1m/sequences_sas.txt.gz": "1\t3 1 9\n2\t1\n", "MicroLens-50k_pairs.tsv.gz": "1\t2 4\n2\t4\n"})
	got, err := datasets.ML1M(dir)
	want := datasets.Set{IDs: []int{1, 3, 9}, Log: learn.Log{Items: 3, Viewers: []learn.History{{Items: []int32{1, 0, 2}}, {Items: []int32{0}}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if n, ok := got.Number(9); n != 2 || !ok {
		t.Errorf("item of id 9: got %d, %v, want 2", n, ok)
	}
	if _, ok := got.Number(4); ok {
		t.Error("an item of an id that is not there")
	}
	if _, err := datasets.MicroLens(dir); err != nil {
		t.Error(err)
	}
}

func TestGowalla(t *testing.T) {
	dir := folder(t, map[string]string{"train.txt.gz": "0 5 7\n1 0\n2 5\n", "test.txt.gz": "0 0\n1 8 5\n2\n"})
	set, cases, err := datasets.Gowalla(dir)
	wantCases := []split.Case{
		{Viewer: 0, History: learn.History{Items: []int32{1, 2}}, Targets: []int32{0}},
		{Viewer: 1, History: learn.History{Items: []int32{0}}, Targets: []int32{3, 1}},
	}
	if err != nil || !slices.Equal(set.IDs, []int{0, 5, 7, 8}) || len(set.Log.Viewers) != 3 || !reflect.DeepEqual(cases, wantCases) {
		t.Errorf("got %+v, %+v, %v, want %+v", set, cases, err, wantCases)
	}
}

func TestLiked(t *testing.T) {
	// User 1 by time and item: 1, 2, 3, 5, 4, 6; user 7 has but two.
	ratings := "1\t3\t5\t20\n1\t2\t4\t10\n1\t1\t2\t10\n1\t4\t4\t40\n1\t6\t1\t40\n1\t5\t5\t30\n7\t1\t4\t5\n7\t2\t5\t6\n"
	all, err := datasets.ML100K(folder(t, map[string]string{"u.data.gz": ratings}))
	if err != nil || len(all) != 8 || all[0] != (datasets.Rating{User: 1, Item: 3, Stars: 5, At: 20}) {
		t.Fatalf("got %+v, %v, want the eight", all, err)
	}
	log, cases, again := datasets.Liked(all, 2)
	of := func(at []int64, items ...int32) learn.History { return learn.History{Items: items, At: at} }
	first := of([]int64{10, 20, 30}, 1, 2, 4)
	if want := (learn.Log{Items: 6, Viewers: []learn.History{first, {}}}); !reflect.DeepEqual(log, want) {
		t.Errorf("log: got %+v, want %+v", log, want)
	}
	if want := []split.Case{{Viewer: 0, History: first, Seen: []int32{0}, Targets: []int32{3}}, {Viewer: 1, Targets: []int32{0, 1}}}; !reflect.DeepEqual(cases, want) {
		t.Errorf("cases: got %+v, want %+v", cases, want)
	}
	log, cases = again()
	first = of([]int64{10}, 1)
	if want := []split.Case{{Viewer: 0, History: first, Seen: []int32{0}, Targets: []int32{2, 4}}}; !reflect.DeepEqual(cases, want) || !reflect.DeepEqual(log.Viewers[0], first) {
		t.Errorf("again: got %+v and %+v, want %+v", log, cases, want)
	}
}

func TestFilms(t *testing.T) {
	var posters bytes.Buffer
	w := tar.NewWriter(&posters)
	w.WriteHeader(&tar.Header{Name: "posters/", Typeflag: tar.TypeDir, Mode: 0o755})
	w.WriteHeader(&tar.Header{Name: "posters/2.jpg", Size: 4, Mode: 0o600})
	fmt.Fprint(w, "jpeg")
	w.Close()
	dir := folder(t, map[string]string{
		"movies.dat":                  "1::Caf\xe9 (1990)::Horror\n2::B (1991)::Western|Drama\n",
		"movies_extrainfos.dat.gz":    "1::A::1990::R::x::Horror::d::w::c::Vampires.::p\n2::B::1991::R::x::Western::d::w::c::N/A::p\n",
		"sas_to_original_items.txt":   "1 2\n2 1\n",
		"posters_w180.tar":            posters.String(),
		"MicroLens-50k_titles.csv.gz": "item,title\n4,\"A song, # dance\"\n",
	})
	films, err := datasets.Films(dir)
	if want := []datasets.Film{{"1", "Café", "Vampires.", []string{"Horror"}}, {"2", "B", "", []string{"Western", "Drama"}}}; err != nil || !reflect.DeepEqual(films, want) {
		t.Errorf("got %+v, %v, want %+v", films, err, want)
	}
	if ids, err := datasets.FilmIDs(dir); err != nil || !maps.Equal(ids, map[int]string{1: "2", 2: "1"}) {
		t.Errorf("ids: got %v, %v", ids, err)
	}
	var seen []string
	visit := func(film string, picture []byte) error {
		seen = append(seen, film+" "+string(picture))
		return nil
	}
	if err := datasets.Posters(dir, visit); err != nil || !slices.Equal(seen, []string{"2 jpeg"}) {
		t.Errorf("posters: got %q, %v", seen, err)
	}
	full := errors.New("full")
	if err := datasets.Posters(dir, func(string, []byte) error { return full }); !errors.Is(err, full) {
		t.Errorf("posters: got %v, want the visit's error", err)
	}
	if titles, err := datasets.Titles(dir); err != nil || !maps.Equal(titles, map[int]string{4: "A song, # dance"}) {
		t.Errorf("titles: got %v, %v", titles, err)
	}
}

func TestRetold(t *testing.T) {
	files := map[string]string{
		"movies_extrainfos.dat.gz":     "1::A::1990::R::x::Horror::d::w::c::Vampires.::p\n2::B::1991::R::x::Western::d::w::c::N/A::p\n3::C::1992::R::x::War::d::w::c::War.::p\n",
		"tmdb_5000_movies_slim.csv.gz": "id,overview,release_date,title\n7,\"Undead, bloody\",1990-05-01,a\n8,Other film,1995-01-01,A\n9,Cowboys,1991-01-01,B\n9,,1992-01-01,C\n",
	}
	got, err := datasets.Retold(folder(t, files))
	if want := []datasets.Retelling{{"a", "Vampires.", "Undead, bloody"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	files["tmdb_5000_movies_slim.csv.gz"] = "id,title\n1,A\n"
	if _, err := datasets.Retold(folder(t, files)); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "overview") {
		t.Errorf("without overviews: got %v, want ErrInvalid that says so", err)
	}
}

func TestBad(t *testing.T) {
	ml1m := func(dir string) error { _, err := datasets.ML1M(dir); return err }
	gowalla := func(dir string) error { _, _, err := datasets.Gowalla(dir); return err }
	ml100k := func(dir string) error { _, err := datasets.ML100K(dir); return err }
	films := func(dir string) error { _, err := datasets.Films(dir); return err }
	ids := func(dir string) error { _, err := datasets.FilmIDs(dir); return err }
	titles := func(dir string) error { _, err := datasets.Titles(dir); return err }
	posters := func(dir string) error { return datasets.Posters(dir, func(string, []byte) error { return nil }) }
	const sas, sasIDs = "sequences_sas.txt.gz", "sas_to_original_items.txt"
	tests := []struct {
		name  string
		read  func(string) error
		files map[string]string
		want  error
		says  string
	}{
		{"no file", ml1m, nil, upnext.ErrNotFound, sas},
		{"no posters", posters, nil, upnext.ErrNotFound, "posters_w180.tar"},
		{"no tab", ml1m, map[string]string{sas: "1\t2\n2 3\n"}, upnext.ErrInvalid, sas + ":2"},
		{"a user left out", ml1m, map[string]string{sas: "1\t2\n3\t3\n"}, upnext.ErrInvalid, sas + ":2"},
		{"no number", ml1m, map[string]string{sas: "1\t2 x\n"}, upnext.ErrInvalid, sas + ":1"},
		{"item 0", ml1m, map[string]string{sas: "1\t2 0\n"}, upnext.ErrInvalid, sas + ":1"},
		{"beyond 31 bits", ml1m, map[string]string{sas: "1\t2 3000000000\n"}, upnext.ErrInvalid, sas + ":1"},
		{"empty", ml1m, map[string]string{sas: ""}, upnext.ErrInvalid, "items"},
		{"users out of order", gowalla, map[string]string{"train.txt.gz": "1 2\n", "test.txt.gz": ""}, upnext.ErrInvalid, "train.txt.gz:1"},
		{"an empty line", gowalla, map[string]string{"train.txt.gz": "0 2\n", "test.txt.gz": "0 3\n\n"}, upnext.ErrInvalid, "test.txt.gz:2"},
		{"three columns", ml100k, map[string]string{"u.data.gz": "1\t2\t3\n"}, upnext.ErrInvalid, "u.data.gz:1"},
		{"six stars", ml100k, map[string]string{"u.data.gz": "1\t2\t3\t4\n1\t2\t6\t4\n"}, upnext.ErrInvalid, "u.data.gz:2"},
		{"two columns", films, map[string]string{"movies.dat": "1::only two\n", "movies_extrainfos.dat.gz": ""}, upnext.ErrInvalid, "movies.dat:1"},
		{"three ids", ids, map[string]string{sasIDs: "1 2 3\n"}, upnext.ErrInvalid, sasIDs + ":1"},
		{"a title too many", titles, map[string]string{"MicroLens-50k_titles.csv.gz": "item,title\n1,a,b\n"}, upnext.ErrInvalid, "line 2"},
		{"an item without number", titles, map[string]string{"MicroLens-50k_titles.csv.gz": "item,title\nx,a\n"}, upnext.ErrInvalid, ":2"},
		{"posters cut off", posters, map[string]string{"posters_w180.tar": strings.Repeat("x", 600)}, upnext.ErrInvalid, "posters_w180.tar"},
	}
	for _, test := range tests {
		if err := test.read(folder(t, test.files)); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %v that says %q", test.name, err, test.want, test.says)
		}
	}
	torn := folder(t, nil)
	if err := os.WriteFile(filepath.Join(torn, sas), []byte("no gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ml1m(torn); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("no gzip: got %v", err)
	}
	var whole bytes.Buffer
	w := gzip.NewWriter(&whole)
	fmt.Fprint(w, strings.Repeat("1\t2 3\n", 1000))
	w.Close()
	if err := os.WriteFile(filepath.Join(torn, "u.data.gz"), whole.Bytes()[:whole.Len()-9], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ml100k(torn); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("cut off: got %v", err)
	}
}

// TestRealData holds the public files' counts against their descriptions.
func TestRealData(t *testing.T) {
	dir := os.Getenv("UPNEXT_DATA")
	if dir == "" {
		t.Skip("UPNEXT_DATA names no data folder")
	}
	acts := func(log learn.Log) (n int) {
		for _, h := range log.Viewers {
			n += len(h.Items)
		}
		return n
	}
	ml1m, err := datasets.ML1M(dir)
	if got, want := [3]int{len(ml1m.Log.Viewers), ml1m.Log.Items, acts(ml1m.Log)}, [3]int{6040, 3416, 999611}; err != nil || got != want {
		t.Errorf("ml-1m: got %v, %v, want %v", got, err, want)
	}
	lens, err := datasets.MicroLens(dir)
	if got, want := [3]int{len(lens.Log.Viewers), lens.Log.Items, acts(lens.Log)}, [3]int{50000, 19220, 359708}; err != nil || got != want {
		t.Errorf("microlens: got %v, %v, want %v", got, err, want)
	}
	gowalla, cases, err := datasets.Gowalla(dir)
	held := 0
	for _, c := range cases {
		held += len(c.Targets)
	}
	if got, want := [5]int{len(gowalla.Log.Viewers), gowalla.Log.Items, acts(gowalla.Log), len(cases), held}, [5]int{29858, 40981, 810128, 29858, 217242}; err != nil || got != want {
		t.Errorf("gowalla: got %v, %v, want %v", got, err, want)
	}
	ratings, err := datasets.ML100K(dir)
	_, liked, _ := datasets.Liked(ratings, 10)
	if err != nil || len(ratings) != 100000 || len(liked) != 901 {
		t.Errorf("ml-100k: got %d ratings and %d cases, %v, want 100000 and 901", len(ratings), len(liked), err)
	}
	if titles, err := datasets.Titles(dir); err != nil || len(titles) != 19220 {
		t.Errorf("titles: got %d, %v, want 19220", len(titles), err)
	}
	films, err := datasets.Films(dir)
	if err != nil || len(films) != 3883 {
		t.Errorf("films: got %d, %v, want 3883", len(films), err)
	}
}

func TestRatedFilms(t *testing.T) {
	flags := "|0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|1|0|0"
	got, err := datasets.RatedFilms(folder(t, map[string]string{"u.item": "7|Caf\xe9 (1995)|4-Feb-1995||http://x" + flags + "\n8|Unknown||||1" + strings.Repeat("|0", 18) + "\n"}))
	want := []datasets.RatedFilm{{ID: 7, Title: "Café (1995)", Genres: []string{"Drama", "Thriller"}, Released: time.Date(1995, 2, 4, 0, 0, 0, 0, time.UTC)}, {ID: 8, Title: "Unknown"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"x|A|||" + flags, "1|A|||", "1|A|Feb 1995||" + flags} {
		if _, err := datasets.RatedFilms(folder(t, map[string]string{"u.item": bad})); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), "u.item:1") {
			t.Errorf("%q: got %v, want ErrInvalid with file and line", bad, err)
		}
	}
}
