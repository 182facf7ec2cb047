package shelf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"upnext"
)

// The weight of a word by where it stands. A word in several fields counts by
// the heaviest.
const (
	titleWord   = 1.0
	creatorWord = 0.9
	tagWord     = 0.8
)

// Match is an item that shares words with a query.
type Match struct {
	Item  *Item
	Score float64 // share of the query's information that the item has, 0 to 1
}

// wordsOf weighs the words by which an item can be found.
func wordsOf(it upnext.Item) map[string]float32 {
	words := map[string]float32{}
	add := func(text string, weight float32) {
		for _, w := range Words(text) {
			words[w] = max(words[w], weight)
		}
	}
	add(it.Title, titleWord)
	add(it.CreatorName, creatorWord)
	for _, tag := range it.Tags {
		add(tag, tagWord)
	}
	return words
}

// Words cuts text into lower-case words. Scripts that are written without
// spaces (Han, Kana) give their single characters and the pairs of neighbours.
func Words(text string) []string {
	var words []string
	var word []rune
	var before rune // the character just before, where it was of such a script
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = word[:0]
		}
	}
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			flush()
			words = append(words, string(r))
			if before != 0 {
				words = append(words, string([]rune{before, r}))
			}
			before = r
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			word = append(word, r)
		case r == '\'' || r == '’': // don't is one word
		default:
			flush()
		}
		before = 0
	}
	flush()
	return words
}

// list makes an item findable by its words and its creator.
func (s *Shelf) list(it *Item) {
	for w := range it.words {
		s.words[w] = append(s.words[w], it.Ord)
	}
	if c := it.Item.CreatorID; c != "" {
		s.makers[c] = append(s.makers[c], it.Ord)
	}
}

// unlist is its inverse.
func (s *Shelf) unlist(it *Item) {
	for w := range it.words {
		without(s.words, w, it.Ord)
	}
	if c := it.Item.CreatorID; c != "" {
		without(s.makers, c, it.Ord)
	}
}

func without(lists map[string][]int32, key string, ord int32) {
	ords := lists[key]
	if i := slices.Index(ords, ord); i >= 0 {
		ords[i] = ords[len(ords)-1]
		ords = ords[:len(ords)-1]
	}
	if lists[key] = ords; len(ords) == 0 {
		delete(lists, key)
	}
}

// maxPostings bounds the work of a search: a word that more items have than
// this says too little to be worth reading, unless all words are like that.
const maxPostings = 50_000

// Find returns up to n items that share words with text and pass, best first,
// ties by id. A rare word counts for more; a title that holds the whole text
// comes before one that holds its words apart.
func (s *Shelf) Find(text string, n int, pass func(*Item) bool) []Match {
	words := Words(text)
	slices.Sort(words)
	words = slices.Compact(words)
	if len(words) == 0 {
		return nil
	}
	scores, total := s.tally(words)
	whole := strings.ToLower(strings.TrimSpace(text))
	matches := make([]Match, 0, len(scores))
	for it, score := range scores {
		if !pass(it) {
			continue
		}
		score /= total
		if strings.Contains(strings.ToLower(it.Item.Title), whole) {
			score = 0.8*score + 0.2
		} else {
			score *= 0.8
		}
		matches = append(matches, Match{it, score})
	}
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID)))
	})
	return matches[:min(n, len(matches))]
}

// tally sums the information of the words that each item has, and of all.
func (s *Shelf) tally(words []string) (scores map[*Item]float64, total float64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	scores = map[*Item]float64{}
	for _, w := range words {
		ords := s.words[w]
		idf := math.Log(1 + float64(s.live+1)/float64(len(ords)+1))
		total += idf
		if len(ords) > maxPostings && len(words) > 1 {
			continue
		}
		for _, ord := range ords {
			it := s.items[ord]
			scores[it] += idf * float64(it.words[w])
		}
	}
	return scores, total
}
