package builtin

import (
	"fmt"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// tokenizer is a SentencePiece unigram model: the text is normalised code point
// by code point, spaces become ▁, and the most probable cut into known pieces
// wins. Pieces and scores are read where they lie in the weights file.
type tokenizer struct {
	n             int
	ends          string  // uint32: where each piece begins in pieces, and the last one's end
	scores        string  // float32: log probability of each piece
	pieces        string  // the pieces' bytes, one after the other
	unknown       float32 // score of a code point that no piece covers
	bos, eos, unk int32

	slots []slot // hash table of all prefixes of all pieces, open addressing

	normRunes []uint32 // sorted code points that normalisation replaces
	normAt    []uint32 // where the replacement of each lies in norm
	norm      string   // entries: code point, count (one byte), the replacement's code points

	scratch sync.Pool // of *lattice
}

// slot stands for one prefix that ends at a code point's end.
type slot struct {
	hash uint32
	id   uint32 // 1 + the id of the piece that is this prefix, 1<<31 if none is, 0 if the slot is free
}

const noPiece = 1 << 31

// lattice is the scratch of one cut.
type lattice struct {
	text []byte
	at   []int32   // where each code point begins in text, and the end
	best []float32 // score of the best cut up to a code point
	id   []int32   // the last piece of that cut
	from []int32   // the code point where that piece begins
}

const (
	space = '▁'
	// A text is cut off at this many normalised bytes before it is cut into
	// pieces. No piece has more than 36 bytes: it always fills the encoder.
	maxTextBytes = maxPieces * 36
	minusInf     = -1e30

	// FNV-1a grows byte by byte, so that all prefixes from one place share the work.
	fnvBasis = 2166136261
	fnvPrime = 16777619
)

// readTokenizer reads the tokenizer's part of the weights file.
func readTokenizer(r *reader) (*tokenizer, error) {
	t := &tokenizer{n: r.count(8), bos: int32(r.u32()), eos: int32(r.u32())}
	r.u32() // the id of padding: nothing is padded
	t.unk = int32(r.u32())
	size, high := int(r.u32()), r.u32()
	t.ends = r.take(4 * (t.n + 1))
	t.scores = r.take(4 * t.n)
	if high != 0 {
		return nil, fmt.Errorf("tokenizer: over 4 GB of pieces")
	}
	t.pieces = r.take(size)
	norms, normSize := r.count(5), int(r.u32())
	t.norm = r.take(normSize)
	if r.err != nil {
		return nil, fmt.Errorf("tokenizer: %w", r.err)
	}
	for _, id := range []int32{t.bos, t.eos, t.unk} {
		if id < 0 || int(id) >= t.n {
			return nil, fmt.Errorf("tokenizer: special id %d among %d pieces", id, t.n)
		}
	}
	if err := t.indexPieces(); err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	if err := t.indexNorm(norms); err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	t.scratch.New = func() any { return new(lattice) }
	return t, nil
}

func (t *tokenizer) indexPieces() error {
	size := 64
	for size < 4*t.n { // there are about two prefixes a piece
		size *= 2
	}
	t.slots = make([]slot, size)
	used, lowest := 0, float32(0)
	for id := range t.n {
		from, to := int(u32(t.ends, id)), int(u32(t.ends, id+1))
		if from > to || to > len(t.pieces) {
			return fmt.Errorf("piece %d lies at %d to %d of %d bytes", id, from, to, len(t.pieces))
		}
		lowest = min(lowest, f32(t.scores, id))
		piece := t.pieces[from:to]
		if int32(id) == t.unk {
			continue
		}
		h := uint32(fnvBasis)
		for i := range len(piece) {
			h = (h ^ uint32(piece[i])) * fnvPrime
			if i+1 < len(piece) && utf8.RuneStart(piece[i+1]) {
				used += t.insert(h, noPiece)
			}
		}
		if piece != "" {
			used += t.insert(h, uint32(id)+1)
		}
		if used > size/4*3 {
			return fmt.Errorf("%d prefixes in the first %d pieces: too many", used, id)
		}
	}
	t.unknown = lowest - 10 // as SentencePiece does
	return nil
}

// insert says 1 if it took a new slot. Two prefixes may share a hash: a search
// then goes on once too often, which costs a probe and changes nothing.
func (t *tokenizer) insert(h, id uint32) int {
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		switch {
		case s.id == 0:
			*s = slot{h, id}
			return 1
		case s.hash != h:
			continue
		case id == noPiece:
			return 0
		case s.id == noPiece:
			s.id = id
			return 0
		case t.piece(s.id-1) == t.piece(id-1):
			return 0 // a piece listed twice: the first one counts
		}
	}
}

func (t *tokenizer) piece(id uint32) string {
	return t.pieces[u32(t.ends, int(id)):u32(t.ends, int(id)+1)]
}

// find looks a prefix up: the piece that it is (-1 if none is), and whether
// longer pieces may begin with it.
func (t *tokenizer) find(h uint32, prefix []byte) (id int32, more bool) {
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		switch {
		case s.id == 0:
			return -1, more
		case s.hash != h:
			continue
		case s.id != noPiece && t.piece(s.id-1) == string(prefix):
			return int32(s.id - 1), true
		}
		more = true
	}
}

func (t *tokenizer) indexNorm(n int) error {
	t.normRunes, t.normAt = make([]uint32, n), make([]uint32, n)
	r := reader{s: t.norm}
	for i := range n {
		t.normAt[i] = uint32(r.at)
		head := r.take(5)
		if head == "" {
			return fmt.Errorf("replacement %d: %w", i, r.err)
		}
		t.normRunes[i] = u32(head, 0)
		if r.take(4 * int(head[4])); r.err != nil {
			return fmt.Errorf("replacement %d: %w", i, r.err)
		}
		if i > 0 && t.normRunes[i] <= t.normRunes[i-1] {
			return fmt.Errorf("replacement %d: code point %#x is out of order", i, t.normRunes[i])
		}
	}
	return nil
}

// normalize fills l.text and l.at, and says whether there is anything but spaces.
func (t *tokenizer) normalize(l *lattice, text string) bool {
	l.text, l.at = append(l.text[:0], "▁"...), append(l.at[:0], 0)
	solid, spaced := false, true
	add := func(r rune) {
		if r == ' ' || r == space {
			if spaced && r == ' ' {
				return
			}
			spaced, r = r == ' ', space
		} else {
			solid, spaced = true, false
		}
		l.at = append(l.at, int32(len(l.text)))
		l.text = utf8.AppendRune(l.text, r)
	}
	for _, r := range text {
		if len(l.text) >= maxTextBytes {
			break
		}
		if r > ' ' && r < 0x7f {
			add(r) // normalisation leaves ASCII alone
			continue
		}
		i, found := slices.BinarySearch(t.normRunes, uint32(r))
		if !found {
			if !unicode.IsControl(r) { // no piece has one
				add(r)
			}
			continue
		}
		entry := t.norm[t.normAt[i]:]
		for k := range int(entry[4]) {
			add(rune(u32(entry[5+4*k:], 0)))
		}
	}
	l.at = append(l.at, int32(len(l.text)))
	return solid
}

// cut appends the ids of text, at most maxPieces with begin and end, to ids. It
// appends nothing if there is nothing to read.
func (t *tokenizer) cut(ids []int32, text string) []int32 {
	l := t.scratch.Get().(*lattice)
	defer t.scratch.Put(l)
	if !t.normalize(l, text) {
		return ids
	}
	n := len(l.at) - 1
	l.best = append(l.best[:0], make([]float32, n+1)...)
	l.id = append(l.id[:0], make([]int32, n+1)...)
	l.from = append(l.from[:0], make([]int32, n+1)...)
	for i := range l.best {
		l.best[i] = minusInf
	}
	l.best[0] = 0
	for i := range n {
		h, begin := uint32(fnvBasis), l.at[i]
		for end := i + 1; end <= n; end++ {
			for _, c := range l.text[l.at[end-1]:l.at[end]] {
				h = (h ^ uint32(c)) * fnvPrime
			}
			id, more := t.find(h, l.text[begin:l.at[end]])
			if id >= 0 {
				l.offer(i, end, id, f32(t.scores, int(id)))
			}
			if !more {
				break
			}
		}
		l.offer(i, i+1, t.unk, t.unknown)
	}
	first := len(ids)
	for i := n; i > 0; i = int(l.from[i]) {
		ids = append(ids, l.id[i])
	}
	ids = append(ids, t.bos)
	slices.Reverse(ids[first:])
	ids = append(ids, t.eos)
	return ids[:min(len(ids), first+maxPieces)]
}

// offer takes the piece from one code point to another if no cut was better.
func (l *lattice) offer(from, to int, id int32, score float32) {
	if score += l.best[from]; score > l.best[to] {
		l.best[to], l.id[to], l.from[to] = score, id, int32(from)
	}
}
