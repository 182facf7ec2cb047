package learned

import (
	"upnext"
	"upnext/learn/bundle"
	"upnext/serve/dense"
	"upnext/serve/shelf"
)

// Numbers says which number the models have for an item of the shelf, and the
// other way, without asking a map of ids for each candidate of each request. It
// is filled as requests ask, and is true for one bundle, with whatever newcomers,
// and one shelf: neither numbers anew. Safe for concurrent use; see For.
type Numbers struct {
	items           *upnext.ItemID // the first of the bundle's, by which it is known
	byOrd, byNumber dense.Table
}

// For is n where that is b's, else an empty one. With newcomers a bundle is still
// the same.
func (n *Numbers) For(b *bundle.Bundle) *Numbers {
	first := &b.Items[0]
	if n != nil && n.items == first {
		return n
	}
	return &Numbers{items: first}
}

// of is the number of an item that the models know; false where they have never
// met it.
func (n *Numbers) of(b *bundle.Bundle, it *shelf.Item) (int32, bool) {
	switch known := n.byOrd.Get(it.Ord); {
	case known > 0:
		return known - 1, true
	case known == never:
		return 0, false
	}
	number, ok := b.Number(it.Item.ID)
	if !ok {
		n.byOrd.Set(it.Ord, never)
		return 0, false
	}
	n.byOrd.Set(it.Ord, number+1)
	n.byNumber.Set(number, it.Ord+1)
	return number, true
}

// onShelf returns the shelf's items of numbers, nil for what is not there.
func (n *Numbers) onShelf(b *bundle.Bundle, on *shelf.Shelf, numbers []int32) []*shelf.Item {
	ords := make([]int32, len(numbers))
	var unknown []int // places in numbers
	for i, number := range numbers {
		if ords[i] = n.byNumber.Get(number) - 1; ords[i] < 0 {
			unknown = append(unknown, i)
		}
	}
	items := on.At(ords)
	for _, i := range unknown {
		if it := on.Item(idOf(b, numbers[i])); it != nil {
			items[i] = it
			if int(numbers[i]) < len(b.Items) { // another one may be the newcomer of that number tomorrow
				n.byNumber.Set(numbers[i], it.Ord+1)
			}
		}
	}
	return items
}

// never says that the models do not know an item; 0 that nobody has looked.
const never = -1
