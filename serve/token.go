package serve

import (
	"encoding/binary"
	"math"

	"upnext"
)

// Claim is what a token says: an item was shown in a slate.
type Claim struct {
	Slate      upnext.SlateID
	Item       upnext.ItemID
	Rank       int
	Variant    string
	Propensity float64 // to the precision of a float32
}

// tokenVersion begins the sealed claim: its strings, rank and propensity.
const tokenVersion = 1

// sign makes the token of a claim.
func (r *Recommender) sign(t upnext.Tenant, c Claim) string {
	b := append(make([]byte, 0, 128), tokenVersion)
	b = appendTexts(b, string(c.Slate), string(c.Item), c.Variant)
	b = binary.AppendUvarint(b, uint64(c.Rank))
	return r.seal(t, binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(c.Propensity))))
}

// Verify returns what a token of this tenant claims, or an ErrInvalid.
func (r *Recommender) Verify(t upnext.Tenant, token string) (Claim, error) {
	b, err := r.unseal(t, token, tokenVersion)
	if err != nil {
		return Claim{}, upnext.Within("token", err)
	}
	c := Claim{Slate: upnext.SlateID(b.text()), Item: upnext.ItemID(b.text()), Variant: b.text()}
	rank := b.number()
	if b.short || rank > math.MaxInt32 || len(b.rest) != 4 {
		return Claim{}, upnext.Within("token", errCutShort)
	}
	c.Rank, c.Propensity = int(rank), float64(math.Float32frombits(binary.LittleEndian.Uint32(b.rest)))
	return c, nil
}
