package rabitq

import "math/bits"

// bitset is a set of slots, 64 a word.
type bitset []uint64

func (b bitset) has(slot uint32) bool {
	return int(slot/64) < len(b) && b[slot/64]>>(slot%64)&1 == 1
}

// add returns b with slot in it.
func (b bitset) add(slot uint32) bitset {
	for int(slot/64) >= len(b) {
		b = append(b, 0)
	}
	b[slot/64] |= 1 << (slot % 64)
	return b
}

func (b bitset) remove(slot uint32) {
	if int(slot/64) < len(b) {
		b[slot/64] &^= 1 << (slot % 64)
	}
}

func (b bitset) count() int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// fill sets all words.
func (b bitset) fill(word uint64) {
	for i := range b {
		b[i] = word
	}
}

// and, andNot and or join b with another set, whose missing words are empty.
func (b bitset) and(with bitset) {
	n := min(len(b), len(with))
	for i, word := range with[:n] {
		b[i] &= word
	}
	clear(b[n:])
}

func (b bitset) andNot(with bitset) {
	for i, word := range with[:min(len(b), len(with))] {
		b[i] &^= word
	}
}

func (b bitset) or(with bitset) {
	for i, word := range with[:min(len(b), len(with))] {
		b[i] |= word
	}
}

func (b bitset) not() {
	for i := range b {
		b[i] = ^b[i]
	}
}

// slots appends the members to ids.
func (b bitset) slots(ids []uint32) []uint32 {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			ids = append(ids, uint32(w*64+bits.TrailingZeros64(word)))
		}
	}
	return ids
}
