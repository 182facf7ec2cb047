package evals

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"unicode"
)

// disturbance is a way for a text to come out wrong. It draws from r alone, so
// that equal r and text give equal words.
type disturbance struct {
	name string
	of   func(text string, r *rand.Rand) string
}

// slip is a mistake at the i-th of the signs: what is written instead, and how
// many of the signs that stands for.
type slip func(signs []rune, i int, r *rand.Rand) (written []rune, of int)

// disturbances are those of a language, "en" or "zh". Typos are slips of the
// fingers, each as likely as another; Chinese has no keys beside one another, and
// has homophones instead, which is how the wrong sign is picked when typing Pinyin.
func disturbances(language string) []disturbance {
	var out []disturbance
	many := func(name string, kinds ...slip) {
		for _, share := range []float64{.05, .1, .2} {
			out = append(out, disturbance{fmt.Sprintf("%s %.0f %%", name, 100*share), slips(share, kinds...)})
		}
	}
	if language == "zh" {
		many("typos", swapped, dropped, doubled)
		many("homophones", homophone)
		return append(out, disturbance{"no punctuation", bare}, disturbance{"pairs of signs shuffled", shuffledPairs})
	}
	many("typos", swapped, dropped, doubled, keyBeside)
	return append(out,
		disturbance{"upper case", func(text string, _ *rand.Rand) string { return strings.ToUpper(text) }},
		disturbance{"lower case, no punctuation", bare},
		disturbance{"words shuffled", shuffledWords})
}

// slips is a slip at each letter or digit with that chance, so that a short text
// may well stay as it is.
func slips(share float64, kinds ...slip) func(string, *rand.Rand) string {
	return func(text string, r *rand.Rand) string {
		signs := []rune(text)
		var out []rune
		for i := 0; i < len(signs); {
			if !spelt(signs[i]) || r.Float64() >= share {
				out = append(out, signs[i])
				i++
				continue
			}
			written, of := kinds[r.IntN(len(kinds))](signs, i, r)
			out = append(out, written...)
			i += of
		}
		return string(out)
	}
}

func spelt(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// swapped changes places with the next letter; where none follows it is doubled.
func swapped(signs []rune, i int, r *rand.Rand) ([]rune, int) {
	if i+1 == len(signs) || !spelt(signs[i+1]) {
		return doubled(signs, i, r)
	}
	return []rune{signs[i+1], signs[i]}, 2
}

func dropped([]rune, int, *rand.Rand) ([]rune, int) { return nil, 1 }

func doubled(signs []rune, i int, _ *rand.Rand) ([]rune, int) {
	return []rune{signs[i], signs[i]}, 1
}

// keys are the rows of an English keyboard, each half a key to the right of the
// one above.
var keys = []string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

// keyBeside is a key that touches the right one, in the same case; a sign that
// is on none of the keys is doubled.
func keyBeside(signs []rune, i int, r *rand.Rand) ([]rune, int) {
	for row := range keys {
		at := strings.IndexRune(keys[row], unicode.ToLower(signs[i]))
		if at < 0 {
			continue
		}
		var near []rune
		for _, k := range [][2]int{{row, at - 1}, {row, at + 1}, {row - 1, at}, {row - 1, at + 1}, {row + 1, at - 1}, {row + 1, at}} {
			if k[0] >= 0 && k[0] < len(keys) && k[1] >= 0 && k[1] < len(keys[k[0]]) {
				near = append(near, rune(keys[k[0]][k[1]]))
			}
		}
		c := near[r.IntN(len(near))]
		if unicode.IsUpper(signs[i]) {
			c = unicode.ToUpper(c)
		}
		return []rune{c}, 1
	}
	return doubled(signs, i, r)
}

//go:embed homophones.tsv
var homophoneLines string

// homophones are the common signs of Chinese by one that is read alike, tone
// aside, itself among them. Of a sign with several readings one is known.
var homophones = sync.OnceValue(func() map[rune][]rune {
	out := map[rune][]rune{}
	for _, columns := range tsv(homophoneLines) {
		alike := []rune(columns[1])
		for _, c := range alike {
			out[c] = alike
		}
	}
	return out
})

// homophone is another common sign of the same reading; a rarer one stays.
func homophone(signs []rune, i int, r *rand.Rand) ([]rune, int) {
	alike := homophones()[signs[i]]
	if len(alike) == 0 {
		return signs[i : i+1], 1
	}
	c := alike[r.IntN(len(alike)-1)]
	if c == signs[i] {
		c = alike[len(alike)-1]
	}
	return []rune{c}, 1
}

// bare is a text in small letters without what is neither letter, digit nor space.
func bare(text string, _ *rand.Rand) string {
	return strings.Map(func(c rune) rune {
		if spelt(c) || unicode.IsSpace(c) || unicode.IsMark(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, text)
}

func shuffledWords(text string, r *rand.Rand) string {
	words := strings.Fields(text)
	r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	return strings.Join(words, " ")
}

// shuffledPairs stands for shuffled words where nothing parts them: most words of
// Chinese have two signs, though not always these two.
func shuffledPairs(text string, r *rand.Rand) string {
	var pairs []string
	for signs := []rune(text); len(signs) > 0; {
		n := min(2, len(signs))
		pairs, signs = append(pairs, string(signs[:n])), signs[n:]
	}
	r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	return strings.Join(pairs, "")
}

// tsv are the rows of a file of ours, less its remarks.
func tsv(file string) [][]string {
	var rows [][]string
	for line := range strings.Lines(file) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return rows
}
