package ingest

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"

	"upnext"
	"upnext/ingest/eventjson"
	"upnext/ingest/itemjson"
	"upnext/ingest/viewerjson"
)

// historyFiles are the endings of the files that a source of one of these
// formats is made of.
var historyFiles = map[string][]string{
	Events:  {".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".parquet"},
	Viewers: {".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz"},
}

// maxEventLine is the longest line of a history in bytes, as in the API.
const maxEventLine = 1 << 20

func isHistory(format, key string) bool {
	return slices.ContainsFunc(historyFiles[format], func(end string) bool { return strings.HasSuffix(key, end) })
}

// detectHistory says whether the source is a history. With Auto a single file
// is one if it is Parquet, or its first line has the fields of an event and
// none of an item.
func (s *source) detectHistory(ctx context.Context, file string) (bool, error) {
	switch {
	case s.format == Auto && file != "":
		if !isHistory(Events, file) {
			return false, nil
		}
		if yes, err := s.tellsEvents(ctx, file); !yes || err != nil {
			return false, err
		}
		s.format, s.past = Events, file
		return true, nil
	case len(historyFiles[s.format]) == 0:
		return false, nil
	case file != "":
		if s.past = file; !isHistory(s.format, file) {
			return false, fmt.Errorf("format %s is one of *%s: %w", s.format, strings.Join(historyFiles[s.format], ", *"), upnext.ErrInvalid)
		}
		return true, nil
	}
	for h, err := range s.pastFiles(ctx) {
		return h != nil, err
	}
	return false, fmt.Errorf("there is no *%s: %w", strings.Join(historyFiles[s.format], " or *"), upnext.ErrInvalid)
}

// tellsEvents looks at the first line of a file.
func (s *source) tellsEvents(ctx context.Context, key string) (bool, error) {
	if path.Ext(key) == ".parquet" {
		return true, nil
	}
	r, _, err := openPlain(ctx, s.files, key)
	if err != nil {
		return false, err
	}
	defer func() { _ = r.Close() }() // it was only read
	for l, err := range eachLine(r, maxEventLine) {
		if err != nil || l.long {
			return false, nil // whoever reads it says what is wrong
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(l.text, &fields) != nil {
			return false, nil
		}
		return fields["at"] != nil && fields["title"] == nil && (fields["user_id"] != nil || fields["anonymous_id"] != nil), nil
	}
	return false, nil
}

// pastFiles yields the histories of a source, in the order of their names.
func (s *source) pastFiles(ctx context.Context) iter.Seq2[history, error] {
	return func(yield func(history, error) bool) {
		if s.past != "" {
			yield(s.pastFile(s.past), nil)
			return
		}
		for info, err := range s.files.List(ctx, "", "") {
			if err != nil {
				yield(nil, err)
				return
			}
			if isHistory(s.format, info.Key) && !yield(s.pastFile(info.Key), nil) {
				return
			}
		}
	}
}

func (s *source) pastFile(key string) history {
	if path.Ext(key) == ".parquet" {
		return parquetFile{s.files, key}
	}
	return lineFile{s, key}
}

// openPlain opens a file, unpacked where its name ends in .gz, and says which
// version of it.
func openPlain(ctx context.Context, from files, key string) (io.ReadCloser, string, error) {
	r, info, err := from.Open(ctx, key, 0)
	if err != nil || path.Ext(key) != ".gz" {
		return r, info.ETag, err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("%s: %v: %w", key, err, upnext.ErrInvalid), r.Close())
	}
	return unpacked{z, r}, info.ETag, nil
}

// lineFile is NDJSON of events or viewers, packed or not.
type lineFile struct {
	source *source
	name   string
}

func (f lineFile) key() string { return f.name }

func (f lineFile) lines(ctx context.Context, after int) iter.Seq2[told, error] {
	return func(yield func(told, error) bool) {
		r, _, err := openPlain(ctx, f.source.files, f.name)
		if err != nil {
			yield(told{}, err)
			return
		}
		defer func() { _ = r.Close() }() // it was only read
		for l, err := range eachLine(r, maxEventLine) {
			if err != nil {
				// A gzip that breaks off is the file's fault, not the machine's.
				if !errors.Is(err, upnext.ErrUnavailable) && ctx.Err() == nil || errors.Is(err, io.ErrUnexpectedEOF) {
					err = fmt.Errorf("%s: line %d: %v: %w", f.name, l.number, err, upnext.ErrInvalid)
				}
				yield(told{}, err)
				return
			}
			if l.number > after && !yield(f.parse(l), nil) {
				return
			}
		}
	}
}

func (f lineFile) parse(l line) told {
	t := told{line: l.number, size: len(l.text)}
	var err error
	switch {
	case l.long:
		err = fmt.Errorf("longer than %d bytes", maxEventLine)
	case f.source.format == Viewers:
		var v upnext.Viewer
		v, err = viewerjson.Decode(l.text, f.source.people)
		if t.viewer = &v; err == nil {
			// The first value of an attribute that the schema does not have says its type.
			f.source.people, _ = itemjson.Extend(f.source.people, v.Attributes)
		}
	default:
		if t.event, err = eventjson.Decode(l.text); err == nil {
			t.event, err = identified(t.event)
		}
	}
	if err != nil {
		t.problem, t.cause = err.Error(), "invalid"
		if l.long || !json.Valid(l.text) {
			t.cause = "syntax"
		}
	}
	return t
}

// identified gives an event without an id one that is made of its content.
func identified(e upnext.Event) (upnext.Event, error) {
	var err error
	if e.ID == "" {
		e.ID, err = eventjson.DerivedID(e)
	}
	return e, err
}
