package evals

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed/builtin"
	"upnext/understand/zeroshot"
)

func evaluation(t *testing.T, limit int) Evaluation {
	t.Helper()
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	u, err := zeroshot.New(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return Evaluation{Text: text, Understand: u, Limit: limit}
}

func zipped(t *testing.T, content, dir, name string) {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, b.String(), dir, name)
}

func write(t *testing.T, content, dir, name string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// talks is twelve talks on three subjects; each links to the next of its own.
func talks(t *testing.T) string {
	t.Helper()
	subjects := []struct {
		tag    string
		titles []string
	}{
		{"astronomy", []string{"The moons of Jupiter", "A telescope for distant galaxies", "How planets form around stars", "Rockets to Mars"}},
		{"food", []string{"Baking bread at home", "A chef's soup recipe", "Cooking rice with spices", "Flour, butter and a hot oven"}},
		{"music", []string{"A song for the guitar", "Piano concert in the park", "The singer and her band", "Composing a melody"}},
	}
	var lines strings.Builder
	for id := range 12 {
		s := subjects[id%3]
		json.NewEncoder(&lines).Encode(talk{
			ID: id, Title: s.titles[id/3], Tags: []string{s.tag}, Related: []int{(id + 3) % 12, 999},
			Transcript: []string{"Today I speak of " + strings.ToLower(s.titles[id/3]) + "."},
		})
	}
	dir := t.TempDir()
	zipped(t, lines.String(), filepath.Join(dir, "ted-transcripts"), "ted_talks.jsonl.gz")
	return dir
}

func TestTED(t *testing.T) {
	dir := talks(t)
	report, err := evaluation(t, 0).Run(t.Context(), "ted", dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(report.Rows), 5; got != want {
		t.Fatalf("got %d rows, want %d", got, want)
	}
	for _, row := range report.Rows {
		// Ten of the eleven others are near: only a link to the farthest is missed.
		if row.Items != 6 || row.Value < .8 || row.Value > 1 {
			t.Errorf("got %+v, want 6 queries and nearly all found", row)
		}
	}
	inside, err := evaluation(t, 0).Run(t.Context(), "ted", filepath.Join(dir, "ted-transcripts"))
	if err != nil || !reflect.DeepEqual(inside, report) {
		t.Errorf("from the data set's own folder: got %+v, %v, want %+v", inside, err, report)
	}
}

func TestNearest(t *testing.T) {
	items := []pooled{{vec: []float32{1, 0, 0, 0, 0}}, {vec: []float32{.8, .6, 0, 0, 0}}, {}, {vec: []float32{0, 0, 0, 0, 1}}, {vec: []float32{.8, -.6, 0, 0, 0}}, {vec: []float32{.9, 0, .1, 0, 0}}}
	got := neighbours(items, []int{0, 2, 3}, 3)
	if want := [][]int{{5, 1, 4}, nil, {0, 1, 4}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTopics(t *testing.T) {
	dir := talks(t)
	plots := "1::A::1990::R::x::Horror::d::w::c::Vampires and zombies attack teenagers in a haunted house.::p\n" +
		"2::B::1991::R::x::Western::d::w::c::A gunfighter and a sheriff fight outlaws in a frontier town.::p\n" +
		"3::C::1992::R::x::War::d::w::c::N/A::p\n"
	zipped(t, plots, filepath.Join(dir, "ml-1m"), "movies_extrainfos.dat.gz")
	write(t, "1::Caf\xe9 (1990)::Horror\n2::B (1991)::Western|Drama\n3::C (1992)::War\n", filepath.Join(dir, "ml-1m"), "movies.dat")
	e := evaluation(t, 100) // of so few items each class counts
	report, err := e.Run(t.Context(), "topics", dir)
	if err != nil {
		t.Fatal(err)
	}
	f1 := map[string]float64{}
	for _, row := range report.Rows {
		if row.Metric == "macro_f1" {
			f1[row.Name] = row.Value
		}
	}
	for _, set := range []string{"ted tags (3 classes): ", "ml-1m genres (2 classes): "} {
		model, majority := f1[set+e.Understand.Model()], f1[set+"majority class"]
		if model <= majority || majority == 0 {
			t.Errorf("%s got F1 %v beside the majority's %v, of %v", set, model, majority, f1)
		}
	}
	movies, err := readMovies(dir, 0)
	if err != nil || len(movies) != 2 || movies[0].Title != "Café" || !slices.Equal(movies[1].Genres, []string{"Western", "Drama"}) {
		t.Errorf("readMovies: got %+v, %v, want the two with a plot", movies, err)
	}
}

func TestRunWrites(t *testing.T) {
	dir := talks(t)
	measured, err := evaluation(t, 6).Run(t.Context(), "ted", dir)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := measured.Write(&table); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(measured)
	if err != nil {
		t.Fatal(err)
	}
	var report Report
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	if report.Protocol != "ted" || report.Limit != 6 || len(report.Rows) != 5 || report.Rows[0].Name != "title" {
		t.Errorf("got %+v, want the five rows of ted", report)
	}
	var flat struct{ Rows []map[string]any }
	if err := json.Unmarshal(raw, &flat); err != nil || flat.Rows[0]["model"] != "title" || flat.Rows[0]["recall@10"] != report.Rows[0].Value {
		t.Errorf("got %v, %v, want the first row's model and recall@10", flat.Rows, err)
	}
	for _, row := range report.Rows {
		if want := fmt.Sprintf("%.4f", row.Value); !strings.Contains(table.String(), row.Name) || !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %s %s:\n%s", row.Name, want, table.String())
		}
	}
}

func TestErrors(t *testing.T) {
	good, broken, torn := talks(t), t.TempDir(), t.TempDir()
	zipped(t, "{\"id\":1}\n{\"id\":\n", broken, "ted_talks.jsonl.gz")
	write(t, "no gzip", torn, "ted_talks.jsonl.gz")
	columns := t.TempDir()
	zipped(t, "", columns, "movies_extrainfos.dat.gz")
	write(t, "1::only two\n", columns, "movies.dat")
	tests := []struct {
		protocol, dir string
		want          error
		says          string
	}{
		{"tde", good, upnext.ErrInvalid, "ted, topics"},
		{"ted", t.TempDir(), upnext.ErrNotFound, "ted_talks.jsonl.gz"},
		{"topics", t.TempDir(), upnext.ErrNotFound, "movies_extrainfos.dat.gz"},
		{"typos", t.TempDir(), upnext.ErrNotFound, "no titles"},
		{"typos", broken, upnext.ErrInvalid, "talk 2"},
		{"ted", broken, upnext.ErrInvalid, "talk 2"},
		{"ted", torn, upnext.ErrInvalid, "ted_talks.jsonl.gz"},
		{"topics", columns, upnext.ErrInvalid, "movies.dat:1"},
	}
	for _, test := range tests {
		_, err := evaluation(t, 0).Run(t.Context(), test.protocol, test.dir)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %v that says %q", test.protocol, err, test.want, test.says)
		}
	}
	e := evaluation(t, 0)
	e.Understand = nil
	if _, err := e.Run(t.Context(), "topics", good); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("topics without an understander: got %v, want ErrInvalid", err)
	}
}

// TestMappedTopics holds the classes against the labels: a class that the
// Understander cannot name would be missed in every item.
func TestMappedTopics(t *testing.T) {
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	u, err := zeroshot.New(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	for _, topics := range []map[string][]string{talkTopics, movieTopics} {
		for topic := range topics {
			if !slices.Contains(u.Topics(), topic) {
				t.Errorf("%s is no topic of zeroshot", topic)
			}
		}
	}
}

// TestRealData is a small run of both protocols on the public data.
func TestRealData(t *testing.T) {
	dir := os.Getenv("UPNEXT_DATA")
	if dir == "" {
		t.Skip("UPNEXT_DATA names no data folder")
	}
	e := evaluation(t, 80)
	ted, err := e.Run(t.Context(), "ted", dir)
	if err != nil {
		t.Fatal(err)
	}
	if title, all := ted.Rows[0].Value, ted.Rows[len(ted.Rows)-1].Value; all < title || title < .2 {
		t.Errorf("ted: got %v by title and %v by everything, want more by everything", title, all)
	}
	topics, err := e.Run(t.Context(), "topics", dir)
	if err != nil {
		t.Fatal(err)
	}
	if majority, model := topics.Rows[0], topics.Rows[3]; model.Metric != "macro_f1" || model.Value < 3*majority.Value {
		t.Errorf("topics: got %+v beside %+v, want at least three times the majority", model, majority)
	}
}
