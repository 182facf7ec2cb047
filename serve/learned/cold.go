package learned

import (
	"upnext"
	"upnext/learn/bundle"
	"upnext/serve/shelf"
	"upnext/serve/taste"
)

// number is the place of an item's score, be it one that the models know or a
// newcomer that they can place by its content.
func (s *Scores) number(it *shelf.Item) (int32, bool) {
	if n, ok := s.numbers.of(s.bundle, it); ok {
		return n, true
	}
	if len(s.bundle.Newcomers()) == 0 {
		return 0, false
	}
	return s.bundle.Newcomer(it.Item.ID)
}

// idOf is the item of that number.
func idOf(b *bundle.Bundle, n int32) upnext.ItemID {
	if int(n) < len(b.Items) {
		return b.Items[n]
	}
	return b.Newcomers()[int(n)-len(b.Items)]
}

// newcomersMet are the newcomers that the viewer has taken to. The models are
// not asked by them: they have nothing to say of what follows.
func newcomersMet(b *bundle.Bundle, state *taste.State) (met []int32) {
	if len(b.Newcomers()) == 0 {
		return nil
	}
	for _, sig := range state.Latest {
		if n, ok := b.Newcomer(sig.Item.Item.ID); ok {
			met = append(met, n)
		}
	}
	return met
}
