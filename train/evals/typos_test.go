package evals

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// committed are the titles that we have paraphrases of, the only ones in this room.
func committed() []Titles {
	sets := []Titles{{Name: "ours", Language: "en"}, {Name: "ours", Language: "zh"}}
	for _, columns := range tsv(paraphraseLines) {
		i := 0
		if strings.ContainsFunc(columns[0], func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
			i = 1
		}
		sets[i].Texts = append(sets[i].Texts, columns[0])
	}
	return sets
}

// goldenFile is testdata/NAME.golden, written anew where UPNEXT_UPDATE is set.
func goldenFile(t *testing.T, name string, got []byte) string {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPNEXT_UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(want)
}

// TestDisturbances is the golden file of what is done to texts, sign by sign.
func TestDisturbances(t *testing.T) {
	var got bytes.Buffer
	for _, set := range committed() {
		for _, d := range disturbances(set.Language) {
			for i, text := range set.Texts[:3] {
				fmt.Fprintf(&got, "%s: %s\n", d.name, d.of(text, rand.New(rand.NewPCG(1, uint64(i)))))
			}
		}
	}
	if want := goldenFile(t, "disturbed", got.Bytes()); got.String() != want {
		t.Errorf("got\n%s\nwant\n%s\nif on purpose: UPNEXT_UPDATE=1 go test ./train/evals", got.String(), want)
	}
}

func TestSlips(t *testing.T) {
	long := strings.Repeat("an 例子 of Words, 7 ", 500) // ten letters and digits each
	letters := func(text string) (n int) {
		for _, c := range text {
			if spelt(c) {
				n++
			}
		}
		return n
	}
	before := letters(long)
	for _, share := range []float64{.05, .2} {
		left := letters(slips(share, dropped)(long, rand.New(rand.NewPCG(1, 1))))
		if got := 1 - float64(left)/float64(before); math.Abs(got-share) > .1*share {
			t.Errorf("of %v a share of %v was dropped", share, got)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		if got, n := keyBeside([]rune("G"), 0, r); n != 1 || !strings.ContainsRune("FHTYVB", got[0]) {
			t.Fatalf("a key beside G: got %c", got)
		}
	}
	for _, test := range []struct {
		of   slip
		want string
	}{{swapped, "ba. c"}, {dropped, "b. c"}, {doubled, "aab. c"}} {
		signs := []rune("ab. c")
		written, n := test.of(signs, 0, r)
		if got := string(written) + string(signs[n:]); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got, _ := swapped([]rune("b. c"), 0, r); string(got) != "bb" {
		t.Errorf("before a full stop: got %q, want it doubled", string(got))
	}
}

func TestHomophones(t *testing.T) {
	if n := len(homophones()); n < 3700 || n > 3755 {
		t.Errorf("got %d signs, want nearly all of the 3,755", n)
	}
	r := rand.New(rand.NewPCG(1, 1))
	seen := map[rune]bool{}
	for range 200 {
		got, n := homophone([]rune("挨打"), 0, r)
		if n != 1 || !slices.Contains(homophones()['挨'], got[0]) || got[0] == '挨' {
			t.Fatalf("got %q in place of 挨, want another sign read ai", string(got))
		}
		seen[got[0]] = true
	}
	if got, want := len(seen), len(homophones()['挨'])-1; got != want {
		t.Errorf("got %d different ones, want all %d", got, want)
	}
	if got, _ := homophone([]rune("x"), 0, r); string(got) != "x" {
		t.Errorf("got %q in place of x, want it left", string(got))
	}
}

func TestWords(t *testing.T) {
	if got, want := distinctWords("The cat, the CAT 会骂人 5x"), []string{"5x", "cat", "the", "会骂", "骂人"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	x := indexWords([]string{"one two three four", "one two", "five"})
	if got, want := x.scores("Two? One!"), []float32{1, float32(2 / math.Sqrt(2)), 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// Nothing shared is shared by all alike: each of three may come first.
	if got := standing(x.scores("six"), 1).Recall(1); math.Abs(got-1./3) > 1e-9 {
		t.Errorf("got %v, want a third", got)
	}
	if !copied("one two three", "three two one") || copied("one two three", "one") {
		t.Error("copied is what shares most words")
	}
}

// TestTypos is the golden file of the measures; encoders for other processors
// may differ from it in the second digit.
func TestTypos(t *testing.T) {
	e := evaluation(t, 0)
	e.Titles, e.Seed = committed(), 1
	report, err := e.Run(t.Context(), "typos", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var table, markdown bytes.Buffer
	if err := report.Write(&table); err != nil {
		t.Fatal(err)
	}
	want := goldenFile(t, "typos", table.Bytes())
	gotWords, wantWords := strings.Fields(table.String()), strings.Fields(want)
	same := slices.EqualFunc(gotWords, wantWords, func(a, b string) bool {
		x, errA := strconv.ParseFloat(a, 64)
		y, errB := strconv.ParseFloat(b, 64)
		return a == b || errA == nil && errB == nil && math.Abs(x-y) < .03
	})
	if !same {
		t.Errorf("got\n%s\nwant\n%s\nif on purpose: UPNEXT_UPDATE=1 go test ./train/evals", table.String(), want)
	}
	values := map[string]float64{}
	for _, row := range report.Rows {
		values[row.Name+" "+row.Metric] = row.Value
	}
	for _, language := range []string{"en", "zh"} {
		of := func(how string) float64 { return values["ours, "+language+": "+how] }
		if a, b, c := of("typos 5 % cosine"), of("typos 20 % cosine"), of("the next one's title cosine"); a <= b || b <= c {
			t.Errorf("%s: got cosines %v, %v and %v, want the less the more is wrong", language, a, b, c)
		}
		if ours, words := of("paraphrase, ours recall_at_1"), of("paraphrase, ours words_recall_at_1"); ours <= words {
			t.Errorf("%s: got %v of paraphrases found by the encoder, %v by words", language, ours, words)
		}
	}
	if err := report.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(markdown.String(), "\n")
	if want := "| typos, use-enzh-q4, seed 1 | items | cosine | cosine_p05 |"; !strings.HasPrefix(lines[0], want) || lines[1] != strings.Repeat("|---", 8)+"|" || strings.Count(lines[2], "|") != 9 {
		t.Errorf("markdown: got\n%s", markdown.String())
	}
	raw, err := json.Marshal(report)
	if err != nil || !bytes.Contains(raw, []byte(`"words_recall@10":`)) || !bytes.Contains(raw, []byte(`"seed":1`)) {
		t.Errorf("JSON: got %s, %v", raw, err)
	}
}

// TestTyposOfFilms asks for two plots by what another wrote, and not for the third,
// which is the other's word for word.
func TestTyposOfFilms(t *testing.T) {
	dir := t.TempDir()
	zipped(t, "1::A::1990::R::x::Horror::d::w::c::Vampires attack teenagers in a haunted house.::p\n"+
		"2::B::1991::R::x::Western::d::w::c::A sheriff fights outlaws in a frontier town.::p\n"+
		"3::C::1992::R::x::War::d::w::c::A soldier comes home.::p\n", filepath.Join(dir, "ml-1m"), "movies_extrainfos.dat.gz")
	zipped(t, "overview,release_date,title\nSchool children meet the undead who drink blood.,1990-01-01,A\n"+
		"The lawman of a western village hunts bandits.,1991-01-01,B\nA soldier comes home.,1992-01-01,C\n", filepath.Join(dir, "tmdb-5000"), "tmdb_5000_movies_slim.csv.gz")
	report, err := evaluation(t, 0).Run(t.Context(), "typos", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.Rows {
		if row.Items != 2 || row.Metric == "recall_at_1" && row.Value != 1 {
			t.Errorf("got %+v, want both found", row)
		}
	}
	if len(report.Rows) != 6 {
		t.Errorf("got %d rows, want six of one question", len(report.Rows))
	}
}
