// Package gorse reads what Gorse holds: from its REST API, from the file that
// `gorse-cli dump` writes, or from its bulk export of users, items and
// feedback (JSON lines, or CSV of older versions).
package gorse

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"upnext"
	"upnext/ingest/rivals"
)

// Default is what Gorse's usual types of feedback become. The types are free
// words of each installation.
var defaults = rivals.Mapping{
	"like": "like", "star": "like", "favorite": "like", "upvote": "like", "unlike": "unlike", "dislike": "dislike", "downvote": "dislike",
	"read": "view", "view": "view", "click": "view", "open": "view", "visit": "view", "impression": "impression", "show": "impression",
	"watch": "play", "play": "play", "listen": "play", "finish": "complete", "skip": "skip",
	"save": "save", "bookmark": "save", "collect": "save", "cart": "save", "share": "share", "forward": "share", "fork": "share",
	"comment": "comment", "reply": "comment", "purchase": "purchase", "buy": "purchase", "order": "purchase",
	"subscribe": "subscribe", "rate": "rate", "rating": "rate", "report": "report",
}

// Defaults is what the usual types of feedback become.
func Defaults() rivals.Mapping { all, _ := defaults.With(nil); return all }

// Reader reads one installation.
type Reader struct {
	Source string      // URL of the server, a dump file, or a folder of exports
	Key    string      // of the API, where the server wants one
	Kind   upnext.Kind // of every item: Gorse does not say
	Lowest float64     // rating, and
	Best   float64     // rating: a rating's value is laid into 0 to 1 between them
}

// Read writes all there is to a sink.
func (r Reader) Read(ctx context.Context, to *rivals.Sink) error {
	if !(r.Best > r.Lowest) {
		return fmt.Errorf("ratings from %g to %g: %w", r.Lowest, r.Best, upnext.ErrInvalid)
	}
	if strings.HasPrefix(r.Source, "http://") || strings.HasPrefix(r.Source, "https://") {
		return r.fromServer(ctx, to)
	}
	st, err := os.Stat(r.Source)
	if err != nil {
		return fmt.Errorf("gorse: %v: %w", err, upnext.ErrInvalid)
	}
	if st.IsDir() {
		return r.fromFolder(ctx, to)
	}
	return r.fromDump(ctx, to)
}

// user, item and feedback are Gorse's nouns, as its JSON has them.
type user struct {
	UserID  string
	Labels  any
	Comment string
}

type item struct {
	ItemID     string
	IsHidden   bool
	Categories []string
	Timestamp  any
	Labels     any
	Comment    string
}

type feedback struct {
	FeedbackType string
	UserID       string
	ItemID       string
	Value        float64
	Timestamp    any
	Comment      string
}

// item maps: categories and plain labels are tags, labels with names are
// attributes, the comment is the title.
func (r Reader) item(place string, g item, to *rivals.Sink) error {
	at, err := rivals.Time(g.Timestamp)
	if err != nil {
		return to.Problem(place, err)
	}
	it := upnext.Item{ID: upnext.ItemID(g.ItemID), Kind: r.Kind, Title: strings.TrimSpace(g.Comment), PublishedAt: at, Attributes: map[string]any{}}
	if it.Title == "" {
		it.Title = g.ItemID
	}
	if len(it.Title) > upnext.MaxTitle {
		it.Description, it.Title = it.Title, strings.ToValidUTF8(it.Title[:200], "")
	}
	if g.IsHidden {
		it.Status = upnext.Hidden
	}
	it.Tags = rivals.AddTags(nil, g.Categories...)
	switch labels := g.Labels.(type) {
	case map[string]any:
		rivals.Attributes(it.Attributes, "", labels)
	case []any, string:
		if list, ok := labels.([]any); ok && len(list) > 0 {
			if _, vector := list[0].(float64); vector {
				break
			}
		}
		it.Tags = rivals.AddTags(it.Tags, rivals.Texts(labels)...)
	}
	return to.Item(place, it)
}

func (r Reader) user(place string, g user, to *rivals.Sink) error {
	v := upnext.Viewer{ID: upnext.ViewerID{ID: g.UserID}, Attributes: map[string]any{}}
	if labels, ok := g.Labels.(map[string]any); ok {
		rivals.Attributes(v.Attributes, "", labels)
	} else {
		rivals.Attributes(v.Attributes, "labels", g.Labels)
	}
	rivals.Attributes(v.Attributes, "comment", g.Comment)
	return to.Viewer(place, v)
}

func (r Reader) feedback(place string, g feedback, to *rivals.Sink) error {
	kind, ok := to.Kind(g.FeedbackType)
	if !ok {
		return nil
	}
	at, err := rivals.Time(g.Timestamp)
	if err != nil {
		return to.Problem(place, err)
	}
	e := upnext.Event{
		// Gorse holds one feedback of a type, a user and an item.
		ID: rivals.ID("gorse", g.FeedbackType, g.UserID, g.ItemID), Kind: kind, At: at, Viewer: upnext.ViewerID{ID: g.UserID},
		Item: upnext.ItemID(g.ItemID), Surface: "import", Context: map[string]any{"gorse": g.FeedbackType},
	}
	switch kind {
	case upnext.Rate:
		if g.Value < r.Lowest || g.Value > r.Best {
			return to.Problem(place, fmt.Errorf("value: %g is not within %g and %g: %w", g.Value, r.Lowest, r.Best, upnext.ErrInvalid))
		}
		e.Value = (g.Value - r.Lowest) / (r.Best - r.Lowest)
	case upnext.Comment:
		e.Text = g.Comment
	case upnext.Complete, upnext.Progress:
		e.Watch = &upnext.Watch{}
	}
	return to.Event(place, e)
}

// decode reads a record into one of the nouns; Go's JSON takes its names in any case.
func decode(fields map[string]any, to any) error {
	data, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", err, upnext.ErrInvalid)
	}
	return nil
}
