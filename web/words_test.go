package web

import (
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"upnext"
)

var (
	entry = regexp.MustCompile(`(?m)^  ("[^"]+"): (".*"),$`)
	place = regexp.MustCompile(`\{(\w+)[|}]`)
	// asked finds t("key") and, of t(a ? "x" : "y"), both.
	asked  = regexp.MustCompile(`\bt\(("[^)]*?"|[^")]*\? "[^"]+" : "[^"]+")`)
	quoted = regexp.MustCompile(`"([^"]+)"`)
	static = regexp.MustCompile(`data-i18n(?:-label)?="([^"]+)"`)
	// composed are keys made of a prefix and a value.
	composed = regexp.MustCompile(`\bt\((?:[^()"]*\? )?"([a-z.]+\.)" \+`)
)

// dictionary reads the words of one language.
func dictionary(t *testing.T, name string) map[string]string {
	t.Helper()
	words := map[string]string{}
	text := pages(t)[name]
	found := entry.FindAllStringSubmatch(text, -1)
	for _, m := range found {
		var key, value string
		if err := json.Unmarshal([]byte(m[1]), &key); err != nil {
			t.Fatalf("%s: %s: %v", name, m[1], err)
		}
		if err := json.Unmarshal([]byte(m[2]), &value); err != nil {
			t.Fatalf("%s: %s: %v", name, key, err)
		}
		if _, twice := words[key]; twice {
			t.Errorf("%s has %q twice", name, key)
		}
		words[key] = value
	}
	if lines := strings.Count(text, "\n") - 3; len(found) != lines {
		t.Fatalf("%s: %d of %d lines are words; the others would not be checked", name, len(found), lines)
	}
	return words
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	en, zh := dictionary(t, "js/en.js"), dictionary(t, "js/zh.js")
	for key, words := range en {
		other, ok := zh[key]
		if !ok || other == "" || words == "" {
			t.Errorf("%q: English %q, Chinese %q; want both", key, words, other)
			continue
		}
		if got, want := places(other), places(words); !slices.Equal(got, want) {
			t.Errorf("%q: places %v in Chinese, %v in English", key, got, want)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("%q is there in Chinese only", key)
		}
	}
}

func places(words string) []string {
	found := matches(place, words)
	slices.Sort(found)
	return slices.Compact(found)
}

// TestEveryWordIsThere: what pages and modules ask for exists, and nothing
// exists that is never asked for.
func TestEveryWordIsThere(t *testing.T) {
	words := dictionary(t, "js/en.js")
	used, prefixes := map[string]bool{}, map[string]bool{}
	for name, text := range pages(t) {
		if name == "js/en.js" || name == "js/zh.js" {
			continue
		}
		keys := matches(static, text)
		if path.Ext(name) == ".js" {
			for _, m := range matches(asked, text) {
				keys = append(keys, matches(quoted, m)...)
			}
			for _, p := range matches(composed, text) {
				prefixes[p] = true
			}
			// Words that are named in a table before they are asked for.
			for _, q := range matches(quoted, text) {
				if _, ok := words[q]; ok {
					used[q] = true
				}
			}
		}
		for _, key := range keys {
			used[key] = true
			if _, ok := words[key]; !ok && !strings.HasSuffix(key, ".") {
				t.Errorf("%s asks for %q, which no dictionary has", name, key)
			}
		}
	}
	for key := range words {
		known := slices.ContainsFunc(sorted(prefixes), func(p string) bool { return strings.HasPrefix(key, p) })
		if !used[key] && !known {
			t.Errorf("%q is never asked for", key)
		}
	}
}

func sorted(set map[string]bool) []string {
	var all []string
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// TestComposedWords: every kind and state that the server may send has words.
func TestComposedWords(t *testing.T) {
	words := dictionary(t, "js/en.js")
	values := map[string][]string{
		"stage.":   {"listed", "read", "catalogued", "embedded", "understood", "indexed", "events"},
		"format.":  {"auto", "folders", "ndjson", "csv", "movielens"},
		"missing.": {string(upnext.KeepMissing), string(upnext.HideMissing), string(upnext.DeleteMissing)},
		"state.":   {string(upnext.Queued), string(upnext.Running), string(upnext.Succeeded), string(upnext.Cancelled), string(upnext.Broken)},
		"scope.":   {string(upnext.ScopeItem), string(upnext.ScopeCreator), string(upnext.ScopeTopic)},
		"facet.":   {"topics", "creators", "emotion", "style", "language", "languages", "safety"},
		"theme.":   {"auto", "light", "dark"},
	}
	for _, kind := range upnext.Kinds {
		values["kind."] = append(values["kind."], string(kind))
	}
	for _, kind := range upnext.EventKinds {
		values["event."] = append(values["event."], string(kind))
	}
	for prefix, all := range values {
		for _, v := range all {
			if words[prefix+v] == "" {
				t.Errorf("no words for %q", prefix+v)
			}
		}
	}
}

// TestChineseLabels: every label that the built-in understanding may give an
// item has a Chinese name. Labels are data; the list is read where it lies.
func TestChineseLabels(t *testing.T) {
	raw, err := os.ReadFile("../understand/zeroshot/labels.tsv")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`[{\s]"?([a-z-]+)"?: "\p{Han}+"`)
	names := matches(named, pages(t)["js/labels.js"])
	labels := 0
	for _, line := range strings.Split(string(raw), "\n") {
		columns := strings.Split(line, "\t")
		if len(columns) < 2 || strings.HasPrefix(line, "#") {
			continue
		}
		labels++
		if !slices.Contains(names, columns[1]) {
			t.Errorf("label %q has no Chinese name in js/labels.js", columns[1])
		}
	}
	if labels < 20 {
		t.Fatalf("%d labels read, want them all", labels)
	}
}
