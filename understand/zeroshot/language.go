package zeroshot

import (
	"math"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	"upnext"
	"upnext/understand"
)

// readAtMost is how much text tells a language: more costs time and says no more.
const readAtMost = 2000 // bytes

// languages are those that are told apart by their letters' sequences. Without
// the rare ones the frequent ones are found much more surely in short titles.
var languages = whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{
	whatlanggo.Eng: true, whatlanggo.Fra: true, whatlanggo.Deu: true, whatlanggo.Spa: true, whatlanggo.Por: true,
	whatlanggo.Ita: true, whatlanggo.Nld: true, whatlanggo.Pol: true, whatlanggo.Tur: true, whatlanggo.Swe: true,
	whatlanggo.Ind: true, whatlanggo.Vie: true, whatlanggo.Ron: true, whatlanggo.Ces: true, whatlanggo.Hun: true,
	whatlanggo.Rus: true, whatlanggo.Ukr: true,
	whatlanggo.Arb: true, whatlanggo.Pes: true, whatlanggo.Urd: true, whatlanggo.Heb: true, whatlanggo.Hin: true, whatlanggo.Mar: true,
	whatlanggo.Ell: true, whatlanggo.Tha: true, whatlanggo.Ben: true, whatlanggo.Tam: true, whatlanggo.Tel: true,
}}

// language says in which language an item's words are; empty where they are
// too few to tell. A language that the owner has given is not doubted.
func (u *Understander) language(in understand.Input) []upnext.Label {
	if in.Item.Language != "" {
		return []upnext.Label{{Value: in.Item.Language, Confidence: 1, Evidence: "field: language", Model: u.Model()}}
	}
	code, confidence := detect(beginning(in))
	if code == "" {
		return nil
	}
	return []upnext.Label{{Value: code, Confidence: confidence, Evidence: "text", Model: u.Model()}}
}

// beginning is what is read of an item's words.
func beginning(in understand.Input) string {
	text := in.Text
	if text == "" {
		text = in.Item.Title + "\n" + in.Item.Description
	}
	return strings.ToValidUTF8(text[:min(len(text), readAtMost)], "")
}

// length counts the words of an item, as far as they are read.
func length(in understand.Input) float64 {
	han, kana, hangul, words := scripts(beginning(in))
	return words + (han+kana+hangul)/2
}

// Language returns the BCP 47 code of a text's language, or "" where the words
// are too few to tell.
func Language(text string) string {
	code, _ := detect(strings.ToValidUTF8(text[:min(len(text), readAtMost)], ""))
	return code
}

// detect returns the BCP 47 code of a text's language, or nothing.
func detect(text string) (string, float64) {
	text = withoutLinks(text)
	han, kana, hangul, others := scripts(text)
	// Chinese, Japanese and Korean texts carry English names; an English text
	// carries hardly ever a Chinese word. Two signs are about one word.
	if asian := (han + kana + hangul) / 2; asian > 0 && asian >= .3*(asian+others) {
		share := asian / (asian + others)
		switch {
		case hangul > han+kana:
			return "ko", round(share)
		case kana >= .1*(han+kana):
			return "ja", round(share)
		}
		return "zh", round(share)
	}
	info := whatlanggo.DetectWithOptions(text, languages)
	code := info.Lang.Iso6391()
	if code == "" || !sure(code, info, others) {
		return "", 0
	}
	return code, round(info.Confidence)
}

// sure says whether the library's answer is to be believed. Measured on titles
// of videos and films: what looks a little like English is English (94 of 100),
// while of what looks a little like French or Swedish most is not.
func sure(code string, info whatlanggo.Info, words float64) bool {
	switch {
	case info.Script != unicode.Latin && info.Script != unicode.Cyrillic && info.Script != unicode.Arabic:
		return words >= 1 // the script decides
	case words < 3:
		return false
	case code == "en":
		return true
	case words < 12:
		return info.Confidence >= .8
	}
	return info.Confidence >= .5
}

func round(x float64) float64 { return math.Round(min(x, 1)*1000) / 1000 }

// scripts counts the signs of the Asian scripts and the words of the others.
func scripts(text string) (han, kana, hangul, words float64) {
	inWord := false
	for _, r := range text {
		letter := false
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.IsLetter(r):
			letter = true
			if !inWord {
				words++
			}
		}
		inWord = letter || inWord && (r == '\'' || r == '’')
	}
	return han, kana, hangul, words
}

// withoutLinks leaves out addresses, handles and hashtags, which are in no language.
func withoutLinks(text string) string {
	if !strings.ContainsAny(text, "@#/") {
		return text
	}
	var kept []string
	for _, word := range strings.Fields(text) {
		if !strings.Contains(word, "://") && !strings.HasPrefix(word, "@") && !strings.HasPrefix(word, "#") && !strings.HasPrefix(word, "www.") {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}
