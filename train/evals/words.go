package evals

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// wordIndex finds texts by the words they share with a question, as a search
// without an encoder would: the cosine of words, which count 1 or 0.
type wordIndex struct {
	with map[string][]int // texts that have the word
	size []float64        // words of a text
}

func indexWords(texts []string) wordIndex {
	x := wordIndex{map[string][]int{}, make([]float64, len(texts))}
	for i, text := range texts {
		words := distinctWords(text)
		for _, w := range words {
			x.with[w] = append(x.with[w], i)
		}
		x.size[i] = float64(len(words))
	}
	return x
}

// scores are the cosines of all texts with the question, but for the question's
// own length, which orders nothing.
func (x wordIndex) scores(question string) []float32 {
	out := make([]float32, len(x.size))
	for _, w := range distinctWords(question) {
		for _, i := range x.with[w] {
			out[i]++
		}
	}
	for i := range out {
		if out[i] > 0 {
			out[i] /= float32(math.Sqrt(x.size[i]))
		}
	}
	return out
}

// distinctWords are the runs of letters and digits, in small letters; of Chinese,
// which has no spaces, each two signs that stand together.
func distinctWords(text string) []string {
	var out []string
	for _, run := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !spelt(c) }) {
		signs := []rune(run)
		if len(signs) < 2 || !slices.ContainsFunc(signs, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
			out = append(out, run)
			continue
		}
		for i := range len(signs) - 1 {
			out = append(out, string(signs[i:i+2]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// copied reports whether two texts share most of their words: one then has it
// from the other.
func copied(a, b string) bool {
	in, of := distinctWords(a), distinctWords(b)
	shared := 0
	for _, w := range of {
		if _, found := slices.BinarySearch(in, w); found {
			shared++
		}
	}
	return 3*shared > len(in)+len(of)
}
