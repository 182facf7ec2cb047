package rabitq

import "upnext/filter"

// predicate answers filters' trees with bitsets over the columns.
type predicate struct {
	columns map[string]*column
	sets    *[]bitset // scratch, one a depth of the tree and one for postings
	slots   int
	scan    keyScan
}

// can says which leaves the columns answer: what filter.Relax asks.
func (p *predicate) can(leaf filter.Node) bool {
	switch leaf := leaf.(type) {
	case filter.Compare:
		c := p.columns[leaf.Field]
		return c != nil && c.can(leaf.Op, leaf.Value)
	case filter.In:
		c := p.columns[leaf.Field]
		if c == nil {
			return false
		}
		for _, v := range leaf.Values {
			if !c.can(filter.Eq, v) {
				return false
			}
		}
		return true
	case filter.Null:
		return p.columns[leaf.Field] != nil
	}
	return false
}

// passing returns the slots that may pass a tree, and perhaps slots that are
// in no use. It is scratch: the next call overwrites it.
func (p *predicate) passing(n filter.Node) bitset {
	return p.eval(filter.Relax(n, p.can), true, 1)
}

// set is the scratch of a depth, with room for every slot and not cleared.
func (p *predicate) set(depth int) bitset {
	for len(*p.sets) <= depth {
		*p.sets = append(*p.sets, nil)
	}
	words := (p.slots + 63) / 64
	if cap((*p.sets)[depth]) < words {
		(*p.sets)[depth] = make(bitset, words+words/4)
	}
	(*p.sets)[depth] = (*p.sets)[depth][:words]
	return (*p.sets)[depth]
}

// eval returns, in the scratch of depth, the slots for which n holds. Slots
// whose value is unknown hold everything where wide is set and nothing where
// it is not; a Not turns it round, so that the whole only ever gets wider.
func (p *predicate) eval(n filter.Node, wide bool, depth int) bitset {
	if not, ok := n.(filter.Not); ok {
		dst := p.eval(not.Of, !wide, depth)
		dst.not()
		return dst
	}
	dst := p.set(depth)
	dst.fill(0)
	switch n := n.(type) {
	case filter.And:
		dst.not()
		for _, of := range n {
			dst.and(p.eval(of, wide, depth+1))
		}
		return dst
	case filter.Or:
		for _, of := range n {
			dst.or(p.eval(of, wide, depth+1))
		}
		return dst
	case filter.Compare:
		c := p.columns[n.Field]
		c.compare(n.Op, n.Value, dst, p.set(0), p.scan)
		return c.widen(dst, wide)
	case filter.In:
		c := p.columns[n.Field]
		for _, v := range n.Values {
			c.compare(filter.Eq, v, dst, p.set(0), p.scan)
		}
		return c.widen(dst, wide)
	case filter.Null:
		c := p.columns[n.Field]
		dst.or(c.present)
		dst.not()
		return c.widen(dst, wide)
	case filter.Const:
		if n {
			dst.not()
		}
		return dst
	}
	if wide { // Relax leaves nothing else; were there something, it may pass
		dst.not()
	}
	return dst
}

// widen puts in, or takes out, the slots whose value is unknown.
func (c *column) widen(dst bitset, wide bool) bitset {
	if wide {
		dst.or(c.unknown)
	} else {
		dst.andNot(c.unknown)
	}
	return dst
}
