// Package eventjson is the JSON of an event: the body of POST /v1/events, a
// line of a historical file, a line of an export.
package eventjson

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"upnext"
)

// Event is an event as JSON; its tags describe it in the API's contract.
type Event struct {
	ID           string         `json:"id" doc:"Yours; an event counts once by viewer and id."`
	Kind         string         `json:"kind" enum:"impression,view,play,progress,complete,skip,like,unlike,dislike,save,share,comment,rate,gift,purchase,subscribe,report,conversion,not_interested,block,mute,follow,unfollow,search"`
	At           time.Time      `json:"at" doc:"When it happened."`
	UserID       string         `json:"user_id,omitempty"`
	AnonymousID  string         `json:"anonymous_id,omitempty"`
	SessionID    string         `json:"session_id,omitempty"`
	ItemID       string         `json:"item_id,omitempty"`
	CreatorID    string         `json:"creator_id,omitempty"`
	TargetUserID string         `json:"target_user_id,omitempty"`
	Topic        string         `json:"topic,omitempty"`
	Query        string         `json:"query,omitempty"`
	Text         string         `json:"text,omitempty"`
	Value        *float64       `json:"value,omitempty" doc:"rate needs it: 0 to 1."`
	Amount       float64        `json:"amount,omitempty"`
	Currency     string         `json:"currency,omitempty"`
	Scope        string         `json:"scope,omitempty" enum:"item,creator,topic" doc:"What a not_interested, block or mute is about."`
	Token        string         `json:"token,omitempty" doc:"Of the recommended item that this answers."`
	Surface      string         `json:"surface,omitempty"`
	Position     int            `json:"position,omitempty"`
	Watch        *Watch         `json:"watch,omitempty"`
	Context      map[string]any `json:"context,omitempty" doc:"What is known besides. region, ISO 3166, is where it happened: what trends there is told apart. Without it the region counts that the viewer asked from last."`
}

// Watch is how much was watched.
type Watch struct {
	WatchedMS  int64 `json:"watched_ms" doc:"How much was watched: what counts."`
	PositionMS int64 `json:"position_ms,omitempty" doc:"Where the player stands."`
	DurationMS int64 `json:"duration_ms,omitempty" doc:"Of the item, as the player knows it."`
}

// Decode reads one event, strictly: an unknown field is an error, and so is
// anything behind the object. The event is not validated: call Event.Validate.
// Errors wrap upnext.ErrInvalid.
func Decode(raw []byte) (upnext.Event, error) {
	var b Event
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(&b)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value")
		}
	}
	if kind := new(json.UnmarshalTypeError); errors.As(err, &kind) {
		return upnext.Event{}, &upnext.FieldError{Of: "event", Field: strings.ReplaceAll(kind.Field, ".", "/"), Detail: kind.Value + " is not of its type"}
	}
	// The one time there is: its errors do not say where.
	if parse := new(time.ParseError); errors.As(err, &parse) || err != nil && strings.HasPrefix(err.Error(), "Time.UnmarshalJSON") {
		return upnext.Event{}, &upnext.FieldError{Of: "event", Field: "at", Detail: fmt.Sprintf("%.80v: want a time like 2026-11-24T09:00:00Z", err)}
	}
	if err != nil {
		return upnext.Event{}, upnext.Unread("event", err)
	}
	return b.Noun()
}

// maxMillis keeps a time in milliseconds within a time.Duration.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

// Noun is the event that b tells of. Errors wrap upnext.ErrInvalid.
func (b Event) Noun() (upnext.Event, error) {
	bad := func(field, what string) (upnext.Event, error) {
		return upnext.Event{}, &upnext.FieldError{Of: fmt.Sprintf("event %.80s", b.ID), Field: field, Detail: what}
	}
	e := upnext.Event{
		ID: upnext.EventID(b.ID), Kind: upnext.EventKind(b.Kind), At: b.At.UTC(), Session: b.SessionID,
		Item: upnext.ItemID(b.ItemID), Creator: b.CreatorID, Target: b.TargetUserID, Topic: b.Topic, Query: b.Query, Text: b.Text,
		Amount: b.Amount, Currency: b.Currency, Scope: upnext.Scope(b.Scope), Token: b.Token, Surface: b.Surface,
		Position: b.Position, Context: b.Context,
	}
	switch {
	case b.Value != nil:
		e.Value = *b.Value
	case e.Kind == upnext.Rate: // absent is not 0, the worst there is
		return bad("value", "rate needs it")
	}
	switch {
	case b.UserID != "" && b.AnonymousID != "":
		return bad("anonymous_id", "beside user_id: one of the two")
	case b.UserID != "":
		e.Viewer = upnext.ViewerID{ID: b.UserID}
	case b.AnonymousID != "":
		e.Viewer = upnext.ViewerID{ID: b.AnonymousID, Anonymous: true}
	default:
		return bad("user_id", "missing (or anonymous_id)")
	}
	if w := b.Watch; w != nil {
		for i, ms := range []int64{w.WatchedMS, w.PositionMS, w.DurationMS} {
			if ms > maxMillis || ms < -maxMillis {
				return bad([]string{"watch/watched_ms", "watch/position_ms", "watch/duration_ms"}[i], fmt.Sprintf("%d ms is out of range", ms))
			}
		}
		ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
		e.Watch = &upnext.Watch{Watched: ms(w.WatchedMS), Position: ms(w.PositionMS), Duration: ms(w.DurationMS)}
	}
	return e, nil
}

// Of is the JSON of an event. What the store adds, Seq and ReceivedAt, is not
// part of it.
func Of(e upnext.Event) Event {
	b := Event{
		ID: string(e.ID), Kind: string(e.Kind), At: e.At.UTC(), SessionID: e.Session, ItemID: string(e.Item), CreatorID: e.Creator,
		TargetUserID: e.Target, Topic: e.Topic, Query: e.Query, Text: e.Text, Amount: e.Amount, Currency: e.Currency,
		Scope: string(e.Scope), Token: e.Token, Surface: e.Surface, Position: e.Position, Context: e.Context,
	}
	if e.Viewer.Anonymous {
		b.AnonymousID = e.Viewer.ID
	} else {
		b.UserID = e.Viewer.ID
	}
	if e.Value != 0 || e.Kind == upnext.Rate {
		b.Value = &e.Value
	}
	if w := e.Watch; w != nil {
		b.Watch = &Watch{w.Watched.Milliseconds(), w.Position.Milliseconds(), w.Duration.Milliseconds()}
	}
	return b
}

// Encode writes an event as JSON on one line. Equal events give equal bytes.
func Encode(e upnext.Event) ([]byte, error) {
	data, err := json.Marshal(Of(e))
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %v: %w", e.ID, err, upnext.ErrInvalid)
	}
	return data, nil
}

// DerivedID names an event that came without an id by its content, so that a
// second import of it counts nothing twice. Two events that are equal in
// everything are then one.
func DerivedID(e upnext.Event) (upnext.EventID, error) {
	e.ID = ""
	data, err := Encode(e)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return upnext.EventID("content:" + hex.EncodeToString(sum[:16])), nil
}
