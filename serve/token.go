package serve

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
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

// A token is, in base64url: a version byte, the claim's strings each behind
// its length, rank and propensity, and half of an HMAC-SHA256 over the tenant
// and all of it.
const (
	tokenVersion = 1
	tokenMAC     = sha256.Size / 2
)

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails: see crypto/rand
	return key
}

// sign makes the token of a claim.
func (r *Recommender) sign(t upnext.Tenant, c Claim) string {
	b := make([]byte, 0, 128)
	b = append(b, tokenVersion)
	for _, s := range []string{string(c.Slate), string(c.Item), c.Variant} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(c.Rank))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(c.Propensity)))
	return base64.RawURLEncoding.EncodeToString(append(b, r.mac(t, b)...))
}

func (r *Recommender) mac(t upnext.Tenant, b []byte) []byte {
	h := hmac.New(sha256.New, r.TokenKey)
	h.Write(binary.AppendUvarint(nil, uint64(len(t))))
	h.Write([]byte(t))
	h.Write(b)
	return h.Sum(nil)[:tokenMAC]
}

// Verify returns what a token of this tenant claims, or an ErrInvalid.
func (r *Recommender) Verify(t upnext.Tenant, token string) (Claim, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) <= tokenMAC || b[0] != tokenVersion {
		return Claim{}, fmt.Errorf("token: not one of ours: %w", upnext.ErrInvalid)
	}
	b, mac := b[:len(b)-tokenMAC], b[len(b)-tokenMAC:]
	if !hmac.Equal(mac, r.mac(t, b)) {
		return Claim{}, fmt.Errorf("token: wrong signature: %w", upnext.ErrInvalid)
	}
	return readClaim(b[1:])
}

// readClaim reads what sign wrote; the signature has vouched for it, but a
// key may sign for another version of the program.
func readClaim(b []byte) (c Claim, err error) {
	bad := fmt.Errorf("token: cut short: %w", upnext.ErrInvalid)
	number := func() (n uint64, ok bool) {
		n, width := binary.Uvarint(b)
		if width <= 0 {
			return 0, false
		}
		b = b[width:]
		return n, true
	}
	var texts [3]string
	for i := range texts {
		n, ok := number()
		if !ok || n > uint64(len(b)) {
			return Claim{}, bad
		}
		texts[i], b = string(b[:n]), b[n:]
	}
	rank, ok := number()
	if !ok || rank > math.MaxInt32 || len(b) != 4 {
		return Claim{}, bad
	}
	return Claim{
		Slate: upnext.SlateID(texts[0]), Item: upnext.ItemID(texts[1]), Variant: texts[2], Rank: int(rank),
		Propensity: float64(math.Float32frombits(binary.LittleEndian.Uint32(b))),
	}, nil
}
