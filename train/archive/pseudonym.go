package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"upnext"
)

// minKey is the least length of the operator's secret in bytes: with a guessed
// key anybody could try all user ids.
const minKey = 16

// pseudonyms gives names that say nothing to who lacks the key. They are the
// same for one thing in one tenant for ever, and differ between tenants.
type pseudonyms struct{ key []byte }

func (a *Archive) pseudonyms(t upnext.Tenant) pseudonyms {
	return pseudonyms{sum(a.Key, "tenant", string(t))}
}

func sum(key []byte, kind, value string) []byte {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00%s", kind, value)
	return h.Sum(nil)
}

// viewer names somebody who watches: "p" and 128 bits. The letter keeps
// readers from taking a beginning of it for a number.
func (p pseudonyms) viewer(id upnext.ViewerID) string { return p.name("p", "viewer", id.String()) }

func (p pseudonyms) session(s string) string { return p.name("s", "session", s) }

// query names a search as people mean it: case and white space aside.
func (p pseudonyms) query(q string) string {
	return p.name("q", "query", strings.ToLower(strings.Join(strings.Fields(q), " ")))
}

// user names a followed user as the viewer whom they are.
func (p pseudonyms) user(id string) string {
	if id == "" {
		return ""
	}
	return p.viewer(upnext.ViewerID{ID: id})
}

// check tells one key from another without giving it away.
func (p pseudonyms) check() string { return hex.EncodeToString(sum(p.key, "check", "")[:8]) }

// name is empty for what is empty.
func (p pseudonyms) name(letter, kind, value string) string {
	if value == "" {
		return ""
	}
	return letter + hex.EncodeToString(sum(p.key, kind, value)[:16])
}
