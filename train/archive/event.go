package archive

import (
	"fmt"
	"time"

	"upnext"
)

// Event is a row of the events. Columns that may be null are null where the
// event says nothing of the kind. Times are microseconds since 1970, UTC.
type Event struct {
	Seq        int64             `parquet:"seq,delta"` // the event's order of acceptance; unique
	Viewer     string            `parquet:"viewer,dict"`
	Anonymous  bool              `parquet:"anonymous"`
	Session    string            `parquet:"session,optional,dict"` // a pseudonym
	Kind       string            `parquet:"kind,dict"`
	At         int64             `parquet:"at,timestamp(microsecond)"`          // when it happened, by the client's clock
	ReceivedAt int64             `parquet:"received_at,timestamp(microsecond)"` // the day partition is made of it
	Item       string            `parquet:"item,optional,dict"`
	Creator    string            `parquet:"creator,optional,dict"`
	Target     string            `parquet:"target,optional,dict"` // the user followed, as their pseudonym in viewer
	Topic      string            `parquet:"topic,optional,dict"`
	Query      string            `parquet:"query,optional,dict"` // a pseudonym: the same for the same words
	Value      float64           `parquet:"value"`
	Amount     float64           `parquet:"amount"`
	Currency   string            `parquet:"currency,optional,dict"`
	Scope      string            `parquet:"scope,optional,dict"`
	Slate      string            `parquet:"slate,optional,dict"` // the answer whose item it is about, by its token
	Surface    string            `parquet:"surface,optional,dict"`
	Position   int64             `parquet:"position"`
	Watched    *int64            `parquet:"watched_ms,optional"` // the three are null where nothing was watched
	PlayedTo   *int64            `parquet:"position_ms,optional"`
	Duration   *int64            `parquet:"duration_ms,optional"`
	Context    map[string]string `parquet:"context"` // the keys that the settings name
}

func (e Event) sequence() int64   { return e.Seq }
func (e Event) pseudonym() string { return e.Viewer }
func (e Event) day() time.Time    { return time.UnixMicro(e.ReceivedAt) }

// eventRow makes the row of an event.
func (a *Archive) eventRow(t upnext.Tenant) func(upnext.Event) Event {
	names := a.pseudonyms(t)
	return func(e upnext.Event) Event {
		row := Event{
			Seq: e.Seq, Viewer: names.viewer(e.Viewer), Anonymous: e.Viewer.Anonymous, Session: names.session(e.Session),
			Kind: string(e.Kind), At: e.At.UnixMicro(), ReceivedAt: e.ReceivedAt.UnixMicro(), Item: string(e.Item), Creator: e.Creator,
			Target: names.user(e.Target), Topic: e.Topic, Query: names.query(e.Query), Value: e.Value, Amount: e.Amount,
			Currency: e.Currency, Scope: string(e.Scope), Surface: e.Surface, Position: int64(e.Position),
		}
		if e.Token != "" && a.Claim != nil {
			if slate, ok := a.Claim(t, e.Token); ok {
				row.Slate = string(slate)
			}
		}
		if w := e.Watch; w != nil {
			ms := func(d time.Duration) *int64 { n := d.Milliseconds(); return &n }
			row.Watched, row.PlayedTo, row.Duration = ms(w.Watched), ms(w.Position), ms(w.Duration)
		}
		for _, name := range a.Context {
			if v, ok := e.Context[name]; ok {
				if row.Context == nil {
					row.Context = map[string]string{}
				}
				row.Context[name] = fmt.Sprint(v)
			}
		}
		return row
	}
}

// bytes is about how much memory the row takes.
func (e Event) bytes() int {
	n := 480 + len(e.Item) + len(e.Creator) + len(e.Topic) + len(e.Surface) + len(e.Slate)
	for k, v := range e.Context {
		n += 64 + len(k) + len(v)
	}
	return n
}
