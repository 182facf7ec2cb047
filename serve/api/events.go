package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
)

type eventBody struct {
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
	Watch        *watchBody     `json:"watch,omitempty"`
	Context      map[string]any `json:"context,omitempty"`
}

type watchBody struct {
	WatchedMS  int64 `json:"watched_ms" doc:"How much was watched: what counts."`
	PositionMS int64 `json:"position_ms,omitempty" doc:"Where the player stands."`
	DurationMS int64 `json:"duration_ms,omitempty" doc:"Of the item, as the player knows it."`
}

// event turns a body into the noun, strictly: an unknown field is an error.
func decodeEvent(raw []byte) (upnext.Event, error) {
	var b eventBody
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return upnext.Event{}, fmt.Errorf("event: %s: %s is not of its type: %w", kind.Field, kind.Value, upnext.ErrInvalid)
		}
		return upnext.Event{}, fmt.Errorf("event: %v: %w", err, upnext.ErrInvalid)
	}
	if b.Value == nil {
		if upnext.EventKind(b.Kind) == upnext.Rate { // absent is not 0, the worst there is
			return upnext.Event{}, fmt.Errorf("event %.80s: value: rate needs it: %w", b.ID, upnext.ErrInvalid)
		}
		b.Value = new(float64)
	}
	viewer, err := viewerOf(b.UserID, b.AnonymousID, true)
	if err != nil {
		return upnext.Event{}, fmt.Errorf("event %.80s: %w", b.ID, err)
	}
	e := upnext.Event{
		ID: upnext.EventID(b.ID), Kind: upnext.EventKind(b.Kind), At: b.At.UTC(), Viewer: viewer, Session: b.SessionID,
		Item: upnext.ItemID(b.ItemID), Creator: b.CreatorID, Target: b.TargetUserID, Topic: b.Topic, Query: b.Query, Text: b.Text,
		Value: *b.Value, Amount: b.Amount, Currency: b.Currency, Scope: upnext.Scope(b.Scope), Token: b.Token, Surface: b.Surface,
		Position: b.Position, Context: b.Context,
	}
	if w := b.Watch; w != nil {
		e.Watch = &upnext.Watch{Watched: time.Duration(w.WatchedMS) * time.Millisecond, Position: time.Duration(w.PositionMS) * time.Millisecond, Duration: time.Duration(w.DurationMS) * time.Millisecond}
	}
	return e, nil
}

func bodyOfEvent(e upnext.Event) eventBody {
	b := eventBody{
		ID: string(e.ID), Kind: string(e.Kind), At: e.At, SessionID: e.Session, ItemID: string(e.Item), CreatorID: e.Creator,
		TargetUserID: e.Target, Topic: e.Topic, Query: e.Query, Text: e.Text, Amount: e.Amount, Currency: e.Currency,
		Scope: string(e.Scope), Surface: e.Surface, Position: e.Position, Context: e.Context,
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
		b.Watch = &watchBody{w.Watched.Milliseconds(), w.Position.Milliseconds(), w.Duration.Milliseconds()}
	}
	return b
}

type eventsOutput struct {
	Accepted   int            `json:"accepted" doc:"Kept, and felt by the next answer."`
	Duplicates int            `json:"duplicates" doc:"Known already; nothing was changed."`
	Rejected   []rejectedBody `json:"rejected" doc:"Not kept, and why; the first 1000."`
	RejectedN  int            `json:"rejected_count" doc:"How many were not kept."`
}

type rejectedBody struct {
	Index   int      `json:"index" doc:"Place in the array, or line less one, from 0."`
	Line    int      `json:"line,omitempty" doc:"Line of NDJSON, from 1."`
	Problem *Problem `json:"problem"`
}

// eventBatch is how many events of a body are kept in one call.
const eventBatch = 1000

// maxRejected is how many rejections an answer lists.
const maxRejected = 1000

// postEvents takes one event, an array or NDJSON of any length in bounded memory.
func (a *api) postEvents(c *gin.Context) {
	ctx, who := c.Request.Context(), callerOf(c.Request.Context())
	out := eventsOutput{Rejected: []rejectedBody{}}
	reject := func(r record, err error) {
		out.RejectedN++
		if len(out.Rejected) < maxRejected {
			out.Rejected = append(out.Rejected, rejectedBody{r.Index, r.Line, a.problem(ctx, err)})
		}
	}
	batch, places := make([]upnext.Event, 0, eventBatch), make([]record, 0, eventBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		done, err := a.Recommender.Feedback(ctx, who.tenant, batch...)
		if err != nil {
			return fmt.Errorf("events %d to %d: %w", places[0].Index, places[len(places)-1].Index, err)
		}
		for _, d := range done {
			if d.Duplicate {
				out.Duplicates++
			} else {
				out.Accepted++
			}
		}
		batch, places = batch[:0], places[:0]
		return nil
	}
	for r, err := range records(c.Request.Body, c.ContentType(), 1<<20) {
		if err != nil && r.Fatal {
			if ferr := flush(); ferr != nil {
				err = ferr
			}
			if out.Accepted+out.Duplicates+out.RejectedN == 0 {
				a.fail(c, err)
				return
			}
			reject(r, err) // what came before is kept: the answer says so
			break
		}
		if err != nil {
			reject(r, err)
			continue
		}
		e, err := decodeEvent(r.JSON)
		if err == nil {
			e.ReceivedAt = a.Now().UTC()
			e, err = a.Recommender.Prepare(who.tenant, e)
		}
		if err != nil {
			reject(r, err)
			continue
		}
		batch, places = append(batch, e), append(places, r)
		if len(batch) == eventBatch {
			if err := flush(); err != nil {
				a.fail(c, err)
				return
			}
		}
	}
	if err := flush(); err != nil {
		a.fail(c, err)
		return
	}
	status := http.StatusAccepted
	if out.Accepted+out.Duplicates == 0 && out.RejectedN > 0 {
		status = http.StatusUnprocessableEntity
	}
	c.JSON(status, out)
}

func (a *api) bulkEvents() *huma.Operation {
	return a.bulkOperation("post-events", "/v1/events", "events", "Send events: one, an array, or NDJSON", http.StatusAccepted,
		typeOf[eventBody](), "How many were kept, were known already, and were refused and why.", nil)
}

func (a *api) retractEvent(ctx context.Context, in *struct {
	ID          string `path:"id"`
	UserID      string `query:"user_id" doc:"Whose; needed where several viewers sent that id."`
	AnonymousID string `query:"anonymous_id"`
}) (*struct{}, error) {
	viewer, err := viewerOf(in.UserID, in.AnonymousID, false)
	if err != nil {
		return nil, err
	}
	return nil, a.Recommender.Retract(ctx, callerOf(ctx).tenant, viewer, upnext.EventID(in.ID))
}
