// Package passages says how an item's words become its text vector: which
// texts are embedded, and how much each weighs in their mean. Ingest makes the
// vectors by it and the evaluation measures them by it.
package passages

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"upnext"
)

// Passage is a text to embed and its weight in the item's pooled vector.
type Passage struct {
	Text   string
	Weight float32 // above zero
}

// The sizes of passages. A word is a run of letters, or half a Chinese,
// Japanese or Korean sign (a Chinese word has about two).
const (
	Length         = 100 // words that a passage of running text aims at
	MaxTranscript  = 24  // passages of a transcript; of longer ones a sample over its whole length
	maxDescription = 4
	maxComments    = 16
	maxCaption     = 500 // bytes of the title, of the tags, of a comment
)

// The weights, as measured on related talks (protocol ted; half of the talks
// to choose, half to report). A passage of the transcript says less than a
// title, a description or the tags, but many say more than all of them: their
// sum is best near 0.75 each for few, and near 8 for sixteen and more.
const (
	titleWeight       = 1
	descriptionWeight = 1
	tagsWeight        = 1
	attributeWeight   = 0.5
	commentsWeight    = 0.5 // of all comments together: viewers stray from the subject
	passageWeight     = 0.75
	transcriptWeight  = 8 // of all passages together, at most
)

// Cut returns the texts of an item to embed, the title first. transcript is
// its words without markup, embedded the values of the attributes whose schema
// says so. Texts without a letter or digit are left out, so that an item may
// have no passage at all.
func Cut(item upnext.Item, transcript string, embedded ...string) []Passage {
	var out []Passage
	add := func(weight float32, texts ...string) {
		for _, text := range texts {
			out = append(out, Passage{text, weight / float32(len(texts))})
		}
	}
	add(titleWeight, spoken(clip(item.Title))...)
	add(tagsWeight, spoken(clip(strings.Join(item.Tags, ", ")))...)
	add(descriptionWeight, head(Split(item.Description, Length), maxDescription)...)
	for _, value := range embedded {
		add(attributeWeight, spoken(clip(value))...)
	}
	for _, running := range []string{transcript, item.Lyrics} {
		texts := spread(Split(running, Length), MaxTranscript)
		add(min(transcriptWeight, passageWeight*float32(len(texts))), texts...)
	}
	var comments []string
	for _, c := range head(item.Comments, maxComments) {
		comments = append(comments, spoken(clip(c))...)
	}
	add(commentsWeight, comments...)
	return out
}

// Split cuts running text into passages of about length words, of equal size,
// at ends of sentences where one is near. What has no words gives none.
func Split(text string, length int) []string {
	text = strings.ToValidUTF8(text, "")
	total := count(text)
	if total == 0 {
		return nil
	}
	parts := int(total)/length + 1
	if parts > 1 && int(total)%length < length/4 {
		parts-- // rather a slightly longer passage than a crumb
	}
	aim := total / float64(parts)
	var out []string
	for rest := text; rest != ""; {
		n := len(rest)
		if len(out) < parts-1 {
			n = cutAt(rest, aim)
		}
		out = append(out, spoken(strings.TrimSpace(rest[:n]))...)
		rest = rest[n:]
	}
	return out
}

// cutAt returns where a passage of about aim words ends: after the sentence
// that ends nearest to it within a quarter, else between two words.
func cutAt(text string, aim float64) int {
	sentence, gap := 0, 0
	words, inWord := 0.0, false
	for i, r := range text {
		end := i + utf8.RuneLen(r)
		words += step(r, &inWord)
		switch {
		case words > 1.25*aim:
			if sentence > 0 {
				return sentence
			}
			if gap > 0 {
				return gap
			}
			return i
		case words >= .75*aim && ends(r, text[end:]) && (sentence == 0 || words <= aim):
			sentence = end
		case words <= aim && (unicode.IsSpace(r) || wide(r)):
			gap = end
		}
	}
	return len(text)
}

// ends says whether a sentence ends with r.
func ends(r rune, rest string) bool {
	switch r {
	case '。', '！', '？', '\n':
		return true
	case '.', '!', '?':
		return rest == "" || rest[0] == ' ' || rest[0] == '\n'
	}
	return false
}

// count returns the number of words.
func count(text string) float64 {
	words, inWord := 0.0, false
	for _, r := range text {
		words += step(r, &inWord)
	}
	return words
}

// step says by how much r makes the text longer.
func step(r rune, inWord *bool) float64 {
	switch {
	case wide(r):
		*inWord = false
		return .5
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		if *inWord {
			return 0
		}
		*inWord = true
		return 1
	case unicode.IsSpace(r):
		*inWord = false
	}
	return 0
}

// wide says whether r belongs to a script that is written without spaces.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// spoken returns the text, unless it has neither letter nor digit.
func spoken(text string) []string {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return []string{text}
	}
	return nil
}

// clip keeps the beginning of a text that ought to be short.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxCaption)], "")
}

func head(texts []string, n int) []string { return texts[:min(n, len(texts))] }

// spread returns n of the texts at equal distances, the first and the last
// among them.
func spread(texts []string, n int) []string {
	if len(texts) <= n {
		return texts
	}
	out := make([]string, n)
	for i := range out {
		out[i] = texts[i*(len(texts)-1)/(n-1)]
	}
	return out
}
