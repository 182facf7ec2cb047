// Package rivals is what the readers of other systems' data have in common:
// each turns a dump, an export or an API into items, viewers and events as
// lines of our own NDJSON, which an import then takes like any other.
package rivals

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"upnext"
	"upnext/ingest/eventjson"
	"upnext/ingest/itemjson"
	"upnext/ingest/viewerjson"
)

// Dropped is what a Mapping says of a type that is left behind.
const Dropped = "-"

// Mapping says which event each type of feedback becomes, by its name in lower
// case; Dropped leaves it behind.
type Mapping map[string]string

// With returns the mapping with changes laid over it. A kind that there is not
// is an ErrInvalid.
func (m Mapping) With(changes map[string]string) (Mapping, error) {
	all := maps.Clone(m)
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		kind := changes[name]
		if kind != Dropped && !slices.Contains(upnext.EventKinds, upnext.EventKind(kind)) {
			return nil, fmt.Errorf("map %s=%s: there is no such event; there are %v, and %q to drop it: %w", name, kind, upnext.EventKinds, Dropped, upnext.ErrInvalid)
		}
		all[strings.ToLower(name)] = kind
	}
	return all, nil
}

// Sink takes what a reader found, as lines, and counts. It is not safe for
// concurrent use.
type Sink struct {
	Items, Viewers, Events io.Writer
	Problems               io.Writer // one JSON a line: what could not be taken, and why
	Mapping                Mapping

	Count   Count
	Unknown map[string]int64 // types of feedback that the Mapping does not have
}

// Count is how much there was.
type Count struct{ Items, Viewers, Events, Dropped, Failed int64 }

// maxProblems bounds the Problems that are written; Failed counts on.
const maxProblems = 100_000

// Item writes an item. One that is not valid is a problem of its place.
func (s *Sink) Item(place string, it upnext.Item) error {
	data, err := itemjson.Encode(it)
	if err == nil {
		err = it.Validate()
	}
	return s.line(s.Items, &s.Count.Items, place, data, err)
}

// Viewer writes a viewer.
func (s *Sink) Viewer(place string, v upnext.Viewer) error {
	data, err := viewerjson.Encode(v)
	if err == nil {
		err = v.ID.Validate()
	}
	return s.line(s.Viewers, &s.Count.Viewers, place, data, err)
}

// Kind says what a type of feedback becomes; ok is false where it is dropped or
// not known, which is counted.
func (s *Sink) Kind(name string) (kind upnext.EventKind, ok bool) {
	to, known := s.Mapping[strings.ToLower(name)]
	switch {
	case !known:
		if s.Unknown == nil {
			s.Unknown = map[string]int64{}
		}
		if _, seen := s.Unknown[name]; seen || len(s.Unknown) < 1000 {
			s.Unknown[name]++
		}
		return "", false
	case to == Dropped:
		s.Count.Dropped++
		return "", false
	}
	return upnext.EventKind(to), true
}

// Event writes an event.
func (s *Sink) Event(place string, e upnext.Event) error {
	var data []byte
	var err error
	if e.At.IsZero() {
		err = fmt.Errorf("timestamp: missing: %w", upnext.ErrInvalid)
	} else {
		data, err = eventjson.Encode(e)
	}
	return s.line(s.Events, &s.Count.Events, place, data, err)
}

func (s *Sink) line(to io.Writer, count *int64, place string, data []byte, err error) error {
	if err != nil {
		return s.Problem(place, err)
	}
	*count++
	_, err = to.Write(append(data, '\n'))
	return err
}

// Problem notes what could not be taken. Its error is that of the writer.
func (s *Sink) Problem(place string, err error) error {
	if s.Count.Failed++; s.Count.Failed > maxProblems {
		return nil
	}
	data, err := json.Marshal(map[string]string{"place": place, "detail": err.Error()})
	if err == nil {
		_, err = s.Problems.Write(append(data, '\n'))
	}
	return err
}

// Check reports, at the end, types of feedback that nobody has said anything
// about: they are an ErrInvalid, so that none is lost unseen.
func (s *Sink) Check() error {
	if len(s.Unknown) == 0 {
		return nil
	}
	var types []string
	for _, name := range slices.Sorted(maps.Keys(s.Unknown)) {
		types = append(types, fmt.Sprintf("%s (%d)", name, s.Unknown[name]))
	}
	return fmt.Errorf("feedback of unknown types: %s: say with --map TYPE=EVENT what each is, or TYPE=%s to drop it: %w",
		strings.Join(types, ", "), Dropped, upnext.ErrInvalid)
}

// ID names an event by what makes it one, so that it is the same in every import.
func ID(system string, parts ...string) upnext.EventID {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%q,", p)
	}
	return upnext.EventID(system + ":" + hex.EncodeToString(h.Sum(nil)[:16]))
}
