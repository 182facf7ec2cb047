package passages

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"upnext"
)

func TestCut(t *testing.T) {
	item := upnext.Item{
		Title: "Fog in a jar", Tags: []string{"fog", "physics"}, Description: "Warm water and ice.",
		Comments: []string{"Wow!", "!!!", "Again please"},
	}
	want := []Passage{
		{"Fog in a jar", 1}, {"fog, physics", 1}, {"Warm water and ice.", 1}, {"kitchen", .5},
		{"Take a jar.", .75}, {"Wow!", .25}, {"Again please", .25},
	}
	if got := Cut(item, "Take a jar.", "kitchen", "?"); !reflect.DeepEqual(got, want) {
		t.Errorf("Cut: got %v, want %v", got, want)
	}
	if got := Cut(upnext.Item{Title: "…"}, " \n"); got != nil {
		t.Errorf("an item without words: got %v, want none", got)
	}
}

func TestLongTranscript(t *testing.T) {
	var long strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&long, "word%d ", i)
	}
	got := Cut(upnext.Item{Title: "t"}, long.String())[1:]
	if len(got) != MaxTranscript {
		t.Fatalf("got %d passages, want %d", len(got), MaxTranscript)
	}
	var sum float64
	for _, p := range got {
		sum += float64(p.Weight)
	}
	if math.Abs(sum-transcriptWeight) > 1e-4 {
		t.Errorf("weights sum to %v, want %v", sum, transcriptWeight)
	}
	if !strings.HasPrefix(got[0].Text, "word0 ") || !strings.HasSuffix(got[len(got)-1].Text, "word19999") {
		t.Error("the sample does not reach from the beginning to the end")
	}
}

func TestSplit(t *testing.T) {
	english := strings.Repeat("One two three four five six seven. ", 60) // 420 words
	chinese := strings.Repeat("今天我们把面粉和水和在一起，等它慢慢发起来。", 40)              // 20 signs a sentence, 400 words
	unbroken := strings.Repeat("word ", 500)                             // no sentence ends
	for name, text := range map[string]string{"english": english, "chinese": chinese, "unbroken": unbroken} {
		parts := Split(text, 100)
		if len(parts) < 4 || len(parts) > 6 {
			t.Errorf("%s: got %d parts, want 4 to 6", name, len(parts))
		}
		for i, p := range parts {
			if n := count(p); n < 70 || n > 130 {
				t.Errorf("%s: part %d has %v words, want about 100", name, i, n)
			}
			if name != "unbroken" && !strings.HasSuffix(p, ".") && !strings.HasSuffix(p, "。") {
				t.Errorf("%s: part %d does not end with a sentence: %q", name, i, p)
			}
		}
		// Nothing is lost and nothing doubled.
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := squeeze(strings.Join(parts, "")), squeeze(text); got != want {
			t.Errorf("%s: the parts together are not the text", name)
		}
	}
	if got := Split("just this", 100); !reflect.DeepEqual(got, []string{"just this"}) {
		t.Errorf("got %q, want the text itself", got)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("title", "a. b", "c\n\n。！x")
	f.Add("\xff", strings.Repeat("a", 3000), strings.Repeat("字", 3000))
	f.Fuzz(func(t *testing.T, title, description, transcript string) {
		for _, p := range Cut(upnext.Item{Title: title, Description: description}, transcript) {
			if strings.TrimSpace(p.Text) == "" || !(p.Weight > 0) {
				t.Fatalf("passage %q has weight %v", p.Text, p.Weight)
			}
			if !utf8.ValidString(p.Text) {
				t.Fatalf("a sign was cut in two: %q", p.Text)
			}
		}
	})
}
