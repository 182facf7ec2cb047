package rabitq

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// posting is the slots that have one value. Most values are rare (a title, a
// creator), and a bitmap costs some 200 bytes, so it starts as a list.
type posting struct {
	few  []uint32 // in no order; used while many is nil
	many *roaring.Bitmap
}

const fewSlots = 32

func (p *posting) add(slot uint32) {
	if p.many == nil && len(p.few) < fewSlots {
		p.few = append(p.few, slot)
		return
	}
	if p.many == nil {
		p.many = roaring.BitmapOf(p.few...)
		p.few = nil
	}
	p.many.Add(slot)
}

func (p *posting) remove(slot uint32) {
	if p.many != nil {
		p.many.Remove(slot)
		return
	}
	if i := slices.Index(p.few, slot); i >= 0 {
		p.few[i] = p.few[len(p.few)-1]
		p.few = p.few[:len(p.few)-1]
	}
}

func (p *posting) empty() bool { return len(p.few) == 0 && (p.many == nil || p.many.IsEmpty()) }

// or joins the slots to dst, which has room for all.
func (p *posting) or(dst, scratch bitset) {
	for _, slot := range p.few {
		dst[slot/64] |= 1 << (slot % 64)
	}
	if p.many != nil {
		clear(scratch)
		p.many.WriteDenseTo(scratch)
		dst.or(scratch)
	}
}
