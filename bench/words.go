package bench

import (
	"math/rand/v2"
	"strings"
)

// vocabulary is how many words there are.
const vocabulary = 20_000

// Words are made up; as in a language, few of them are most of a text.
type Words struct {
	random *rand.Rand
	zipf   *rand.Zipf
}

var syllables = strings.Fields("ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bran cler drim fosk glun")

// NewWords draws words by a generator.
func NewWords(r *rand.Rand) Words { return Words{r, rand.NewZipf(r, 1.2, 8, vocabulary-1)} }

// Next is the word of a random rank: its rank, in syllables.
func (w Words) Next() string { return word(int(w.zipf.Uint64())) }

// Some are from least to most words.
func (w Words) Some(least, most int) []string {
	all := make([]string, least+w.random.IntN(most-least+1))
	for i := range all {
		all[i] = w.Next()
	}
	return all
}

// word is the one of a rank, from 0.
func word(rank int) string {
	var s strings.Builder
	for n := rank + len(syllables); n > 0; n /= len(syllables) {
		s.WriteString(syllables[n%len(syllables)])
	}
	return s.String()
}
