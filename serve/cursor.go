package serve

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"upnext"
)

// ErrExpired says that a cursor was not gone on with for Settings.CursorLife:
// what was returned under it is forgotten.
var ErrExpired = fmt.Errorf("expired: %w", upnext.ErrNotFound)

// A cursor, as callers hold it, is a signed text: it names the upnext.Cursor in
// the store and the row that it reads. One that comes with a first answer also
// carries all that the stored one would hold, so that answering writes nothing:
// the store first hears of a recommendation when somebody reads on. What is too
// long for that, and what rows of a page share, is stored at once.
//
// In base64url: a version byte, id, row, until, the request and the items
// returned, each text behind its length, and half of an HMAC-SHA256.
const (
	cursorVersion = 2       // no token has it: see tokenVersion
	cursorInline  = 4 << 10 // bytes that a caller is given to carry
)

// bearer is what the text of a cursor says.
type bearer struct {
	id       upnext.SlateID
	row      string
	until    time.Time
	request  []byte          // nil where all is in the store
	returned []upnext.ItemID // beside request
}

func (r *Recommender) seal(t upnext.Tenant, c bearer) string {
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b := text(append(make([]byte, 0, 512+len(c.request)), cursorVersion), string(c.id))
	b = binary.AppendVarint(text(b, c.row), c.until.UnixMicro())
	b = text(b, string(c.request))
	for _, id := range c.returned {
		b = text(b, string(id))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, r.mac(t, b)...))
}

// unseal returns what a cursor of this tenant says, or an ErrInvalid.
func (r *Recommender) unseal(t upnext.Tenant, cursor string) (c bearer, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) <= tokenMAC || b[0] != cursorVersion {
		return c, fmt.Errorf("cursor: not one of ours: %w", upnext.ErrInvalid)
	}
	b, mac := b[:len(b)-tokenMAC], b[len(b)-tokenMAC:]
	if !hmac.Equal(mac, r.mac(t, b)) {
		return c, fmt.Errorf("cursor: wrong signature: %w", upnext.ErrInvalid)
	}
	b = b[1:]
	whole := true // what we signed is whole, but a key may sign for another version of the program
	text := func() string {
		n, width := binary.Uvarint(b)
		if width <= 0 || n > uint64(len(b)-width) {
			whole, b = false, nil
			return ""
		}
		s := string(b[width : width+int(n)])
		b = b[width+int(n):]
		return s
	}
	c.id, c.row = upnext.SlateID(text()), text()
	until, width := binary.Varint(b)
	if width > 0 {
		b = b[width:]
	}
	whole = whole && width > 0
	if request := text(); request != "" {
		c.request = []byte(request)
	}
	for len(b) > 0 {
		c.returned = append(c.returned, upnext.ItemID(text()))
	}
	if !whole {
		return c, fmt.Errorf("cursor: cut short: %w", upnext.ErrInvalid)
	}
	c.until = time.UnixMicro(until).UTC()
	return c, nil
}

// reading finds how far a cursor has been read: in the store, or in what it
// carries where nobody has read on yet.
func (r *Recommender) reading(ctx context.Context, t upnext.Tenant, of bearer) (upnext.Cursor, error) {
	c, err := r.Cursors.Cursor(ctx, t, of.id)
	switch {
	case errors.Is(err, upnext.ErrNotFound) && of.request != nil:
		c = upnext.Cursor{ID: of.id, Until: of.until, Returned: of.returned, Requests: map[string][]byte{of.row: of.request}}
	case errors.Is(err, upnext.ErrNotFound):
		return c, fmt.Errorf("cursor of %s: %w", of.id, ErrExpired) // pruned
	case err != nil:
		return c, unavailable(err)
	}
	if r.Now().After(c.Until) {
		return c, fmt.Errorf("cursor of %s: at %s: %w", of.id, c.Until.Format(time.RFC3339), ErrExpired)
	}
	return c, nil
}

// requestRow is a request as cursors keep it: its fields are those of
// upnext.Request, which the conversion holds it to.
type requestRow struct {
	Viewer       upnext.ViewerID `json:"viewer,omitzero"`
	Session      string          `json:"session,omitempty"`
	Scenario     string          `json:"scenario,omitempty"`
	Count        int             `json:"count,omitempty"`
	Like         []upnext.ItemID `json:"like,omitempty"`
	Unlike       []upnext.ItemID `json:"unlike,omitempty"`
	LikeStrategy string          `json:"like_strategy,omitempty"`
	Query        string          `json:"query,omitempty"`
	Locale       string          `json:"locale,omitempty"`
	Device       string          `json:"device,omitempty"`
	Region       string          `json:"region,omitempty"`
	Context      map[string]any  `json:"context,omitempty"`
	Filter       string          `json:"filter,omitempty"`
	Boosts       []upnext.Boost  `json:"boosts,omitempty"`
	Exclude      upnext.Exclude  `json:"exclude,omitzero"`
	Include      []string        `json:"include,omitempty"`
	Diversity    *float64        `json:"diversity,omitempty"`
	Explain      string          `json:"explain,omitempty"`
	Deadline     time.Duration   `json:"deadline,omitempty"`
	Backfill     string          `json:"backfill,omitempty"`
	Unrecorded   bool            `json:"unrecorded,omitempty"`
}

func encodeRequest(req upnext.Request) ([]byte, error) {
	b, err := json.Marshal(requestRow(req))
	if err != nil { // a number in its context that is none
		return nil, fmt.Errorf("request: %w: %w", err, upnext.ErrInvalid)
	}
	return b, nil
}

func decodeRequest(b []byte) (upnext.Request, error) {
	var row requestRow
	if err := json.Unmarshal(b, &row); err != nil {
		return upnext.Request{}, fmt.Errorf("cursor: written by another version: %w: %w", err, ErrExpired)
	}
	return upnext.Request(row), nil
}
