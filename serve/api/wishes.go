package api

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/oklog/ulid/v2"

	"upnext"
)

// mutedBody is something that is not wanted, as a profile has it.
type mutedBody struct {
	Scope string `json:"scope" enum:"item,creator,topic"`
	Value string `json:"value" minLength:"1" maxLength:"256" doc:"The item's or the creator's id, or the topic."`
	Kind  string `json:"kind,omitempty" enum:"mute,block,not_interested" doc:"Of a new one; mute where it is left out."`
	At    string `json:"at,omitempty" doc:"As a profile has it; not read."`
}

// pinnedBody is something that is pinned, likewise.
type pinnedBody struct {
	Scope string `json:"scope" enum:"item,creator,topic"`
	Value string `json:"value" minLength:"1" maxLength:"256" doc:"The item's or the creator's id, or the topic."`
	At    string `json:"at,omitempty" doc:"As a profile has it; not read."`
}

type profilePatch struct {
	Muted  *[]mutedBody  `json:"muted,omitempty" maxItems:"1000" doc:"All that is not wanted: what is left out is wanted again, what is new is muted."`
	Pinned *[]pinnedBody `json:"pinned,omitempty" maxItems:"1000" doc:"All that is pinned, likewise. Pinning ends a mute."`
}

// patchProfile makes the lists what they are said to be, by events: the one
// truth of what a viewer wants. Both are changed or neither.
func (a *api) patchProfile(ctx context.Context, in *struct {
	UserPath
	Body profilePatch `contentType:"application/merge-patch+json"`
}) (*profileOutput, error) {
	id, err := a.viewer(ctx, in.UserPath)
	if err != nil {
		return nil, err
	}
	t := callerOf(ctx).tenant
	profile, err := a.Recommender.Profile(ctx, t, id)
	if err != nil {
		return nil, err
	}
	events, err := wishes(profile, in.Body)
	if err != nil {
		return nil, err
	}
	now := a.Now().UTC()
	for i := range events {
		e := &events[i]
		e.ID, e.Viewer, e.At, e.ReceivedAt, e.Surface = upnext.EventID(ulid.Make().String()), id, now, now, "users"
	}
	if len(events) > 0 {
		if _, err := a.Recommender.Feedback(ctx, t, events...); err != nil {
			return nil, err
		}
	}
	body, err := a.readProfile(ctx, id)
	if err != nil {
		return nil, err
	}
	return &profileOutput{body}, nil
}

// wishes are the events between what a profile has and what a patch says.
func wishes(now upnext.Profile, patch profilePatch) ([]upnext.Event, error) {
	muted, pinned := list{now: map[upnext.Subject]string{}}, list{now: map[upnext.Subject]string{}}
	for _, m := range now.Muted {
		muted.now[upnext.SubjectOf(m.Scope, m.Value)] = m.Value
	}
	for _, p := range now.Pinned {
		pinned.now[upnext.SubjectOf(p.Scope, p.Value)] = p.Value
	}
	if patch.Muted != nil {
		for i, m := range *patch.Muted {
			kind := upnext.Mute
			if m.Kind != "" {
				kind = upnext.EventKind(m.Kind)
			}
			if err := muted.want(kind, m.Scope, m.Value, fmt.Sprintf("muted/%d", i)); err != nil {
				return nil, err
			}
		}
		muted.end(upnext.Unmute)
	}
	if patch.Pinned != nil {
		for i, p := range *patch.Pinned {
			field := fmt.Sprintf("pinned/%d", i)
			if muted.wanted[upnext.SubjectOf(upnext.Scope(p.Scope), p.Value)] {
				return nil, upnext.Invalid(field, "%s %.80q is among muted, too", p.Scope, p.Value)
			}
			if err := pinned.want(upnext.Pin, p.Scope, p.Value, field); err != nil {
				return nil, err
			}
		}
		pinned.end(upnext.Unpin)
	}
	return append(muted.events, pinned.events...), nil
}

// list is one list on its way from what it is to what it is said to be.
type list struct {
	now    map[upnext.Subject]string // the values as they were given
	wanted map[upnext.Subject]bool
	events []upnext.Event
}

// want adds what is not there yet.
func (l *list) want(kind upnext.EventKind, scope, value, field string) error {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return upnext.Invalid(field+"/value", "a control character")
	}
	if len(value) > upnext.MaxID {
		return upnext.Invalid(field+"/value", "%d bytes, %d allowed", len(value), upnext.MaxID)
	}
	on := upnext.SubjectOf(upnext.Scope(scope), value)
	if _, there := l.now[on]; !there && !l.wanted[on] {
		l.events = append(l.events, eventAbout(kind, on.Scope, value))
	}
	if l.wanted == nil {
		l.wanted = map[upnext.Subject]bool{}
	}
	l.wanted[on] = true
	return nil
}

// end takes back what was not wanted again.
func (l *list) end(kind upnext.EventKind) {
	for on, value := range l.now {
		if !l.wanted[on] {
			l.events = append(l.events, eventAbout(kind, on.Scope, value))
		}
	}
}

func eventAbout(kind upnext.EventKind, scope upnext.Scope, value string) upnext.Event {
	e := upnext.Event{Kind: kind, Scope: scope}
	switch scope {
	case upnext.ScopeItem:
		e.Item = upnext.ItemID(value)
	case upnext.ScopeCreator:
		e.Creator = value
	default:
		e.Topic = value
	}
	return e
}
