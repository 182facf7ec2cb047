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

// term is a word by which an item can be found, and its weight.
type term struct {
	word   string
	weight float32
}

// wordsOf weighs the words by which an item can be found: each once.
func wordsOf(it upnext.Item) []term {
	var terms []term
	met := map[string]bool{}
	add := func(text string, weight float32) { // the heaviest field comes first
		for _, w := range Words(text) {
			if !met[w] {
				met[w] = true
				terms = append(terms, term{w, weight})
			}
		}
	}
	add(it.Title, titleWord)
	add(it.CreatorName, creatorWord)
	for _, tag := range it.Tags {
		add(tag, tagWord)
	}
	return terms
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
func (s *Shelf) list(it *Item, words []term) {
	for _, t := range words {
		s.words[t.word] = append(s.words[t.word], posting{it.Ord, t.weight})
	}
	s.enlist(it)
}

// relist makes an item findable in the place of what it was. Of its words those
// change that differ: the lists of common ones are long.
func (s *Shelf) relist(old, it *Item, words []term) {
	before := wordsOf(old.Item) // looked for again: holding them would take more than all else of an item
	differing := func(words, others []term, do func(term)) {
		known := make(map[term]bool, len(others))
		for _, t := range others {
			known[t] = true
		}
		for _, t := range words {
			if !known[t] {
				do(t)
			}
		}
	}
	differing(before, words, func(t term) { without(s.words, t.word, func(p posting) bool { return p.ord == it.Ord }) })
	differing(words, before, func(t term) { s.words[t.word] = append(s.words[t.word], posting{it.Ord, t.weight}) })
	s.delist(old)
	s.enlist(it)
}

// enlist makes it findable by its creator, and by what else lists are kept of.
func (s *Shelf) enlist(it *Item) {
	if c := it.Item.CreatorID; c != "" {
		s.makers[c] = append(s.makers[c], it.Ord)
	}
	s.lists.add(it)
}

// delist is its inverse.
func (s *Shelf) delist(it *Item) {
	if c := it.Item.CreatorID; c != "" {
		without(s.makers, c, func(ord int32) bool { return ord == it.Ord })
	}
	s.lists.remove(it)
}

// unlist is the inverse of list.
func (s *Shelf) unlist(it *Item) {
	for _, t := range wordsOf(it.Item) {
		without(s.words, t.word, func(p posting) bool { return p.ord == it.Ord })
	}
	s.delist(it)
}

// posting says that an item has a word.
type posting struct {
	ord    int32
	weight float32
}

// without takes one element out of a list; the list's order is of no meaning.
func without[E any](lists map[string][]E, key string, is func(E) bool) {
	list := lists[key]
	if i := slices.IndexFunc(list, is); i >= 0 {
		list[i] = list[len(list)-1]
		list = list[:len(list)-1]
	}
	if lists[key] = list; len(list) == 0 {
		delete(lists, key)
	}
}

// Words that more items have than this say too little to be looked up, unless
// all words of a query are like that.
const (
	commonItems = 1000
	commonShare = 0.1
)

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
	matches := s.tally(words)
	whole := strings.ToLower(strings.TrimSpace(text))
	for i, m := range matches {
		matches[i].Score *= 0.8
		if strings.Contains(strings.ToLower(m.Item.Item.Title), whole) {
			matches[i].Score += 0.2
		}
	}
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID)))
	})
	found := matches[:0]
	for _, m := range matches {
		if len(found) < n && pass(m.Item) {
			found = append(found, m)
		}
	}
	return found
}

// tally finds the items that have any of the words, in no order, with the
// share of the words' information that they have.
func (s *Shelf) tally(words []string) []Match {
	s.mu.RLock()
	defer s.mu.RUnlock()
	common := max(commonItems, int(commonShare*float64(s.live)))
	if !slices.ContainsFunc(words, func(w string) bool { n := len(s.words[w]); return n > 0 && n <= common }) {
		common = s.live
	}
	scores := make([]float32, len(s.items))
	var ords []int32
	total := 0.0
	for _, w := range words {
		list := s.words[w]
		if len(list) > common {
			continue
		}
		idf := math.Log(1 + float64(s.live+1)/float64(len(list)+1))
		total += idf
		for _, p := range list {
			if scores[p.ord] == 0 {
				ords = append(ords, p.ord)
			}
			scores[p.ord] += float32(idf) * p.weight
		}
	}
	matches := make([]Match, len(ords))
	for i, ord := range ords {
		matches[i] = Match{s.items[ord], min(1, float64(scores[ord])/total)}
	}
	return matches
}
