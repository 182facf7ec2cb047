package ingest

import (
	"html"
	"regexp"
	"strconv"
	"strings"
)

// cueTag is the markup inside cues: <v Name>, <i>, <00:00:01.000>, {\an8}.
var cueTag = regexp.MustCompile(`<[^<>]*>|\{\\[^{}]*\}`)

// Transcript returns the words alone of a transcript in WebVTT, SubRip or
// plain text. It never fails: a broken cue costs its own line. (A subtitle
// library refuses the whole file there, or worse.)
func Transcript(s string) string {
	s = strings.ToValidUTF8(strings.TrimPrefix(s, "\ufeff"), "")
	if !strings.HasPrefix(s, "WEBVTT") && !strings.Contains(s, "-->") {
		return strings.TrimSpace(s)
	}
	var words []string
	for block := range blocks(s) {
		words = append(words, cue(block)...)
	}
	return strings.Join(words, "\n")
}

// blocks yields the runs of lines between empty ones.
func blocks(s string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		var block []string
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				block = append(block, line)
				continue
			}
			if len(block) > 0 && !yield(block) {
				return
			}
			block = nil
		}
		if len(block) > 0 {
			yield(block)
		}
	}
}

// cue returns the words of a block: what stands below its line of times. A
// block without times is a heading, a note or a style, unless a writer of
// SubRip left an empty line within a cue.
func cue(block []string) []string {
	at := -1
	for i, line := range block {
		if strings.Contains(line, "-->") {
			at = i
			break
		}
	}
	first, _, _ := strings.Cut(block[0], " ")
	switch first {
	case "WEBVTT", "NOTE", "STYLE", "REGION":
		if at < 0 {
			return nil
		}
	}
	var words []string
	for i, line := range block[at+1:] {
		if strings.Contains(line, "-->") {
			continue
		}
		// A counter right before a line of times belongs to the next cue.
		next := at + 1 + i + 1
		if _, err := strconv.Atoi(line); err == nil && (len(block) == 1 || next < len(block) && strings.Contains(block[next], "-->")) {
			continue
		}
		line = strings.TrimSpace(html.UnescapeString(cueTag.ReplaceAllString(line, "")))
		// Rolling captions repeat the line before.
		if line != "" && (len(words) == 0 || words[len(words)-1] != line) {
			words = append(words, line)
		}
	}
	return words
}
