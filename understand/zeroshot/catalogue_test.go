package zeroshot

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/understand"
)

// TestDemoCatalogue understands the bundled catalogue, whose folders are named
// LANGUAGE-TOPIC-…: a golden number of how well it goes without any teaching.
func TestDemoCatalogue(t *testing.T) {
	files, err := filepath.Glob("../../cmd/upnext/demo/catalogue/*/item.json")
	if err != nil || len(files) < 200 {
		t.Fatalf("got %d items of the catalogue, %v, want over 200", len(files), err)
	}
	text, u := encoder(t), open(t)
	var withTags, without, first, named, wrongLanguage int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var it struct {
			Title, Description string
			Tags               []string
		}
		if err := json.Unmarshal(data, &it); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		parts := strings.SplitN(filepath.Base(filepath.Dir(file)), "-", 3)
		item := upnext.Item{ID: "i", Kind: "video", Title: it.Title, Description: it.Description}
		inputs := []embed.Input{{Text: it.Title}, {Text: it.Description}, {Text: strings.Join(it.Tags, ", ")}}
		vectors, err := text.Embed(t.Context(), inputs...)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		bare := understand.Input{Item: item, Text: it.Title + "\n" + it.Description, Passages: vectors[:2]}
		tagged := bare
		tagged.Item.Tags, tagged.Passages = it.Tags, vectors
		got, err := u.Understand(t.Context(), bare, tagged)
		if err != nil {
			t.Fatal(err)
		}
		if topics := upnext.Values(got[0].Topics); len(topics) > 0 {
			named++
			if topics[0] == parts[1] {
				first++
			}
			if slices.Contains(topics, parts[1]) {
				without++
			}
		}
		if slices.Contains(upnext.Values(got[1].Topics), parts[1]) {
			withTags++
		}
		if l := upnext.Values(got[0].Language); len(l) > 0 && l[0] != parts[0] {
			wrongLanguage++
		}
	}
	t.Logf("of %d items: topic found by tags and text %d; by title and description alone %d of the %d that got topics (first %d); %d in a wrong language",
		len(files), withTags, without, named, first, wrongLanguage)
	if withTags*100 < 95*len(files) {
		t.Errorf("the topic was found in %d of %d items, want 95 of 100", withTags, len(files))
	}
	if without*100 < 45*named {
		t.Errorf("without tags the topic was found in %d of the %d items that got any, want 45 of 100", without, named)
	}
	if wrongLanguage > 0 {
		t.Errorf("%d items in a wrong language, want none", wrongLanguage)
	}
}
