package demo

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"upnext"
	"upnext/infra/blob/dir"
)

// words are runs of letters and digits, and single Han characters.
func words(text string) []string {
	var all []string
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			all = append(all, run.String())
			run.Reset()
		}
	}
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.Is(unicode.Han, r):
			flush()
			all = append(all, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			run.WriteRune(r)
		case r == '\'' || r == '’': // don't is one word
		default:
			flush()
		}
	}
	flush()
	return all
}

// texts returns everything written for an item.
func texts(t *testing.T, id string) []string {
	entries, err := files.ReadDir("catalogue/" + id)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		raw, err := files.ReadFile("catalogue/" + id + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Name() == "item.json":
			var it struct{ Title, Description, Lyrics string }
			if err := json.Unmarshal(raw, &it); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			all = append(all, it.Title, it.Description, it.Lyrics)
		case e.Name() == "comments.ndjson":
			for line := range bytes.Lines(raw) {
				var c struct{ Author, Text string }
				if err := json.Unmarshal(line, &c); err != nil || c.Text == "" {
					t.Errorf("%s: comment %q: %v", id, line, err)
				}
				all = append(all, c.Text)
			}
		default:
			for line := range strings.Lines(string(raw)) {
				if strings.Contains(line, "-->") || strings.TrimSpace(line) == "WEBVTT" || strings.TrimFunc(line, func(r rune) bool { return unicode.IsDigit(r) || unicode.IsSpace(r) }) == "" {
					continue
				}
				all = append(all, line)
			}
		}
	}
	return all
}

func TestNoTwoItemsShareEightWords(t *testing.T) {
	const n = 8
	items, err := Items()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, it := range items {
		for _, text := range []string{strings.Join(texts(t, it.ID), " . ")} {
			w := words(text)
			for i := 0; i+n <= len(w); i++ {
				key := strings.Join(w[i:i+n], " ")
				if other, ok := seen[key]; ok && other != it.ID {
					t.Errorf("%s and %s share %q", other, it.ID, key)
				}
				seen[key] = it.ID
			}
		}
	}
	if len(seen) < 10_000 {
		t.Errorf("%d runs of words looked at, want those of a whole catalogue", len(seen))
	}
}

func TestCatalogue(t *testing.T) {
	items, err := Items()
	if err != nil {
		t.Fatal(err)
	}
	if len(items) < 235 {
		t.Errorf("%d items, want about 240", len(items))
	}
	kinds, languages, creators := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, it := range items {
		kinds[it.Kind]++
		languages[it.Language]++
		creators[it.CreatorID] = true
		if _, ok := scenes[it.Topic]; !ok {
			t.Errorf("%s: topic %q has no scene", it.ID, it.Topic)
		}
	}
	for _, k := range upnext.Kinds {
		if kinds[string(k)] == 0 {
			t.Errorf("no item of kind %s", k)
		}
	}
	if languages["en"] < 115 || languages["zh"] < 115 {
		t.Errorf("languages %v, want half and half", languages)
	}
	if len(creators) < 28 || len(creators) > 34 {
		t.Errorf("%d creators, want some 30", len(creators))
	}
}

func TestThumbnail(t *testing.T) {
	items, err := Items()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, it := range items {
		raw, err := Thumbnail(it)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[string(raw)]; ok {
			t.Errorf("%s and %s have one picture", it.ID, other)
		}
		seen[string(raw)] = it.ID
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(raw)); err != nil || cfg.Width != width || cfg.Height != height {
			t.Errorf("%s: %v %v, want a JPEG of %d × %d", it.ID, cfg, err, width, height)
		}
		if again, _ := Thumbnail(it); !bytes.Equal(raw, again) {
			t.Errorf("%s: drawn twice, two pictures", it.ID)
		}
	}
	if _, err := Thumbnail(Item{ID: "x", Topic: "nonsense"}); err == nil {
		t.Error("an unknown topic was drawn")
	}
}

func TestWrite(t *testing.T) {
	store, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	items, err := Items()
	if err != nil {
		t.Fatal(err)
	}
	now, n := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), new(atomic.Int64)
	if err := Write(t.Context(), store, "demo/", now, func() { n.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if got := n.Load(); got != int64(len(items)) {
		t.Errorf("done called %d times, want %d", got, len(items))
	}
	var keys []string
	for info, err := range store.List(t.Context(), "demo/"+items[0].ID+"/", "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, strings.TrimPrefix(info.Key, "demo/"+items[0].ID+"/"))
	}
	if !slices.Contains(keys, "item.json") || !slices.Contains(keys, "thumbnail.jpg") || !slices.Contains(keys, "comments.ndjson") {
		t.Errorf("objects %v, want item.json, thumbnail.jpg, comments.ndjson …", keys)
	}
}

func TestViewers(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	viewers, events, err := Viewers(1, now)
	if err != nil {
		t.Fatal(err)
	}
	_, again, _ := Viewers(1, now)
	_, other, _ := Viewers(2, now)
	if len(again) != len(events) || again[len(again)/2].Item != events[len(events)/2].Item {
		t.Error("one seed, two histories")
	}
	if len(other) == len(events) && other[len(other)/2].Item == events[len(events)/2].Item {
		t.Error("two seeds, one history")
	}
	items, _ := Items()
	topic := map[upnext.ItemID]string{}
	for _, it := range items {
		topic[upnext.ItemID(it.ID)] = it.Topic
	}
	taste := map[string][]string{}
	for _, v := range viewers {
		taste[v.ID] = v.Topics
	}
	plays, fitting := 0, 0
	for i, e := range events {
		if err := e.Validate(now); err != nil {
			t.Fatal(err)
		}
		if e.At.After(now) || e.At.Before(now.Add(-lookback)) {
			t.Errorf("event %s at %s, want within 60 days before %s", e.ID, e.At, now)
		}
		if i > 0 && e.At.Before(events[i-1].At) {
			t.Errorf("event %s out of order", e.ID)
		}
		if e.Kind == upnext.Play {
			plays++
			if slices.Contains(taste[e.Viewer.ID], topic[e.Item]) {
				fitting++
			}
		}
	}
	if plays < 1000 || float64(fitting) < .5*float64(plays) {
		t.Errorf("%d plays, %d of them to the viewer's taste, want a thousand and most of them", plays, fitting)
	}
}
