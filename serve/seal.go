package serve

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"upnext"
)

// What callers carry for us, tokens and cursors, is sealed: in base64url, a
// version byte, which says what it is, its content, and half of an HMAC-SHA256
// over the tenant and all of it. It is not secret, and cannot be changed.
const sealBytes = sha256.Size / 2

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails: see crypto/rand
	return key
}

// seal makes the text of bytes that begin with a version.
func (r *Recommender) seal(t upnext.Tenant, b []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(b, r.mac(t, b)...))
}

func (r *Recommender) mac(t upnext.Tenant, b []byte) []byte {
	h := hmac.New(sha256.New, r.TokenKey)
	h.Write(appendTexts(nil, string(t)))
	h.Write(b)
	return h.Sum(nil)[:sealBytes]
}

// unseal returns the bytes behind the version, of a text that was sealed for the
// tenant with that version; ErrInvalid for any other.
func (r *Recommender) unseal(t upnext.Tenant, text string, version byte) (sealed, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) <= sealBytes || b[0] != version {
		return sealed{}, fmt.Errorf("not one of ours: %w", upnext.ErrInvalid)
	}
	b, mac := b[:len(b)-sealBytes], b[len(b)-sealBytes:]
	if !hmac.Equal(mac, r.mac(t, b)) {
		return sealed{}, fmt.Errorf("wrong signature: %w", upnext.ErrInvalid)
	}
	return sealed{rest: b[1:]}, nil
}

// errCutShort says that what was signed is not whole: the signature has vouched
// for it, but a key may sign for another version of the program.
var errCutShort = fmt.Errorf("cut short: %w", upnext.ErrInvalid)

// sealed is read from the front. Once it is short, nothing more is read of it.
type sealed struct {
	rest  []byte
	short bool
}

// appendTexts appends texts, each behind its length.
func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func (s *sealed) number() uint64 {
	n, width := binary.Uvarint(s.rest)
	if width <= 0 {
		s.rest, s.short = nil, true
		return 0
	}
	s.rest = s.rest[width:]
	return n
}

func (s *sealed) text() string {
	n := s.number()
	if n > uint64(len(s.rest)) {
		s.rest, s.short = nil, true
		return ""
	}
	text := string(s.rest[:n])
	s.rest = s.rest[n:]
	return text
}
