package serve

import (
	"context"
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
// Sealed are id, row, until, the request and the items returned.
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

func (r *Recommender) sealCursor(t upnext.Tenant, c bearer) string {
	b := append(make([]byte, 0, 512+len(c.request)), cursorVersion)
	b = appendTexts(b, string(c.id), c.row)
	b = appendTexts(binary.AppendUvarint(b, uint64(c.until.UnixMicro())), string(c.request))
	for _, id := range c.returned {
		b = appendTexts(b, string(id))
	}
	return r.seal(t, b)
}

// unsealCursor returns what a cursor of this tenant says, or an ErrInvalid.
func (r *Recommender) unsealCursor(t upnext.Tenant, cursor string) (c bearer, err error) {
	b, err := r.unseal(t, cursor, cursorVersion)
	if err != nil {
		return c, upnext.Within("cursor", err)
	}
	c = bearer{id: upnext.SlateID(b.text()), row: b.text(), until: time.UnixMicro(int64(b.number())).UTC()}
	if request := b.text(); request != "" {
		c.request = []byte(request)
	}
	for len(b.rest) > 0 {
		c.returned = append(c.returned, upnext.ItemID(b.text()))
	}
	if b.short {
		return bearer{}, upnext.Within("cursor", errCutShort)
	}
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
	Candidates   []upnext.ItemID `json:"candidates,omitempty"`
	Sources      []string        `json:"sources,omitempty"`
	Locale       string          `json:"locale,omitempty"`
	Device       string          `json:"device,omitempty"`
	Region       string          `json:"region,omitempty"`
	Context      map[string]any  `json:"context,omitempty"`
	Filter       string          `json:"filter,omitempty"`
	Boosts       []upnext.Boost  `json:"boosts,omitempty"`
	Exclude      upnext.Exclude  `json:"exclude,omitzero"`
	Include      []string        `json:"include,omitempty"`
	Diversity    *float64        `json:"diversity,omitempty"`
	Explore      *float64        `json:"explore,omitempty"`
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
