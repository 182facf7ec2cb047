package sqlstore

import (
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

// eventBody is the body of an events row; what is asked by stands in columns.
type eventBody struct {
	Kind     string         `json:"kind"`
	Session  string         `json:"session,omitempty"`
	Item     string         `json:"item,omitempty"`
	Creator  string         `json:"creator,omitempty"`
	Target   string         `json:"target,omitempty"`
	Topic    string         `json:"topic,omitempty"`
	Query    string         `json:"query,omitempty"`
	Text     string         `json:"text,omitempty"`
	Value    float64        `json:"value,omitempty"`
	Amount   float64        `json:"amount,omitempty"`
	Currency string         `json:"currency,omitempty"`
	Scope    string         `json:"scope,omitempty"`
	Token    string         `json:"token,omitempty"`
	Surface  string         `json:"surface,omitempty"`
	Position int            `json:"position,omitempty"`
	Watch    *watchRow      `json:"watch,omitempty"`
	Context  map[string]any `json:"context,omitempty"` // as JSON has it: no types are kept
}

type watchRow struct {
	Watched  time.Duration `json:"watched_ns"`
	Position time.Duration `json:"position_ns,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// eventRow is an event on its way in.
type eventRow struct {
	sender       string // who it came from
	viewer, id   string // whose it is: the sender's, or theirs whom the sender was merged into
	at, received int64
	body         string
}

func encodeEvent(e upnext.Event) (eventRow, error) {
	if err := checkColumns("event id", string(e.ID), "viewer", e.Viewer.String()); err != nil {
		return eventRow{}, err
	}
	body, err := encode(fmt.Sprintf("event %s", e.ID), eventBody{
		Kind: string(e.Kind), Session: e.Session, Item: string(e.Item), Creator: e.Creator, Target: e.Target,
		Topic: e.Topic, Query: e.Query, Text: e.Text, Value: e.Value, Amount: e.Amount, Currency: e.Currency,
		Scope: string(e.Scope), Token: e.Token, Surface: e.Surface, Position: e.Position,
		Watch: (*watchRow)(e.Watch), Context: e.Context,
	})
	return eventRow{e.Viewer.String(), e.Viewer.String(), string(e.ID), micros(e.At), micros(e.ReceivedAt), body}, err
}

// eventColumns are what scanEvent reads.
const eventColumns = `seq, viewer, id, at, received_at, body`

func scanEvent(rows *sql.Rows) (upnext.Event, error) {
	var seq, at, received int64
	var viewer, id, text string
	if err := rows.Scan(&seq, &viewer, &id, &at, &received, &text); err != nil {
		return upnext.Event{}, err
	}
	v, err := upnext.ParseViewerID(viewer)
	if err != nil {
		return upnext.Event{}, fmt.Errorf("event %s: damaged row: %w", id, err)
	}
	b, err := decode[eventBody]("event "+id, text)
	if err != nil {
		return upnext.Event{}, err
	}
	return upnext.Event{
		ID: upnext.EventID(id), Kind: upnext.EventKind(b.Kind), At: fromMicros(at), Viewer: v, Session: b.Session,
		Item: upnext.ItemID(b.Item), Creator: b.Creator, Target: b.Target, Topic: b.Topic, Query: b.Query,
		Text: b.Text, Value: b.Value, Amount: b.Amount, Currency: b.Currency, Scope: upnext.Scope(b.Scope),
		Token: b.Token, Surface: b.Surface, Position: b.Position, Watch: (*upnext.Watch)(b.Watch),
		Context: b.Context, Seq: seq, ReceivedAt: fromMicros(received),
	}, nil
}
