package web

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages reads every file of the console by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(Pages(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(Pages(), name)
		all[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("%d files in the console, want all of it", len(all))
	}
	return all
}

// matches returns the first group of every match.
func matches(re *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

var (
	attribute = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	importing = regexp.MustCompile(`(?m)^import [^;]*?"(\./[^"]+)";$`)
	preload   = regexp.MustCompile(`rel="modulepreload" href="/([^"]+)"`)
)

// served are addresses that the server answers besides the console's files.
var served = []string{"/", "/docs", "/openapi.json"}

func TestReferencedFilesExist(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		for _, ref := range matches(attribute, text) {
			file, absolute := strings.CutPrefix(ref, "/")
			if slices.Contains(served, ref) || strings.HasPrefix(ref, "#") {
				continue
			}
			if _, ok := all[file]; !ok || !absolute {
				t.Errorf("%s refers to %q, which is no file of the console", name, ref)
			}
		}
	}
}

// TestModules follows the imports from each page's module: all exist, none is
// left over, and the pages name them for the browser to fetch at once.
func TestModules(t *testing.T) {
	all := pages(t)
	used := map[string]bool{"js/early.js": true} // a classic script, before the first paint
	for page, entry := range map[string]string{"index.html": "js/main.js", "docs.html": "js/docs.js"} {
		reached := map[string]bool{}
		reach(t, all, entry, reached)
		for name := range reached {
			used[name] = true
		}
		for _, name := range matches(preload, all[page]) {
			if !reached[name] {
				t.Errorf("%s preloads %s, which %s does not import", page, name, entry)
			}
			delete(reached, name)
		}
		delete(reached, entry)
		if page == "index.html" && len(reached) > 0 {
			t.Errorf("%s does not preload %v", page, reached)
		}
	}
	for name := range all {
		if path.Ext(name) == ".js" && !used[name] {
			t.Errorf("%s is imported by no page", name)
		}
	}
}

func reach(t *testing.T, all map[string]string, name string, reached map[string]bool) {
	if reached[name] {
		return
	}
	text, ok := all[name]
	if !ok {
		t.Errorf("%s is imported and not there", name)
		return
	}
	reached[name] = true
	for _, ref := range matches(importing, text) {
		reach(t, all, path.Join(path.Dir(name), ref), reached)
	}
}

// TestNothingFromElsewhere: the console works without any network but its own
// server, and a strict content security policy holds.
func TestNothingFromElsewhere(t *testing.T) {
	external := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9-]+\.[a-z]{2,}[^\s"'` + "`" + `]*`)
	inline := regexp.MustCompile(`(?i)<script(?:\s+type="module")?\s*>|\son[a-z]+="|javascript:`)
	for name, text := range pages(t) {
		for _, address := range external.FindAllString(text, -1) {
			if address != "http://www.w3.org/2000/svg" { // the name of a vocabulary, never fetched
				t.Errorf("%s names %q, which is elsewhere", name, address)
			}
		}
		if found := inline.FindString(text); found != "" && path.Ext(name) == ".html" {
			t.Errorf("%s holds a program inline: %q", name, found)
		}
	}
}

// TestTextsStayTexts: titles come from callers, so no text may be read as
// markup or as a program.
func TestTextsStayTexts(t *testing.T) {
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc|setHTML`)
	for name, text := range pages(t) {
		if found := markup.FindString(text); found != "" && path.Ext(name) == ".js" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

// TestStyles: every class that the style sheets name is used by some page or
// module, so that nothing dead is carried along.
func TestStyles(t *testing.T) {
	all := pages(t)
	var code strings.Builder
	for name, text := range all {
		if ext := path.Ext(name); ext == ".js" || ext == ".html" {
			code.WriteString(text)
		}
	}
	comment := regexp.MustCompile(`(?s)/\*.*?\*/`)
	rule := regexp.MustCompile(`([^{}]+)\{`)
	class := regexp.MustCompile(`\.([a-z][a-z-]*)`)
	for name, text := range all {
		if path.Ext(name) != ".css" {
			continue
		}
		for _, selector := range matches(rule, comment.ReplaceAllString(text, "")) {
			for _, c := range matches(class, selector) {
				// view-NAME and icon-NAME are composed.
				last := c[strings.LastIndex(c, "-")+1:]
				if !regexp.MustCompile(`\b`+regexp.QuoteMeta(c)+`\b`).MatchString(code.String()) && !strings.Contains(code.String(), last) {
					t.Errorf("%s styles .%s, which nothing uses", name, c)
				}
			}
		}
	}
}
