package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"upnext"
)

// shownFailures is how many dead letters the end of an import shows.
const shownFailures = 20

// letter is a dead letter as it is printed; the API's has the same names.
type letter struct {
	Key    string `json:"key"`
	Line   int    `json:"line,omitempty"`
	Item   string `json:"item_id,omitempty"`
	Stage  string `json:"stage"`
	Cause  string `json:"cause"`
	Detail string `json:"detail"`
}

func letters(failures []upnext.Failure) []letter {
	all := make([]letter, len(failures))
	for i, f := range failures {
		all[i] = letter{f.Key, f.Line, string(f.Item), f.Stage, f.Cause, f.Detail}
	}
	return all
}

// String is one line: where, what, at which stage, why.
func (l letter) String() string {
	s := l.Key
	if l.Line > 0 {
		s += fmt.Sprintf(":%d", l.Line)
	}
	if l.Item != "" {
		s += ": item " + l.Item
	}
	return fmt.Sprintf("%s: %s: %s: %s", s, l.Stage, l.Cause, l.Detail)
}

// report prints the end of an import and the first of its failures.
func report(s *Settings, w io.Writer, imp upnext.Import, failures []upnext.Failure) error {
	took := imp.EndedAt.Sub(imp.StartedAt)
	if s.JSON {
		stages := map[string]any{}
		for _, st := range imp.Stages {
			stages[st.Name] = map[string]any{"done": st.Done, "failed": st.Failed, "busy_ms": st.Busy.Milliseconds()}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{
			"id": imp.ID, "source": imp.Source, "state": imp.State, "error": imp.Error, "total": imp.Total, "created": imp.Created, "updated": imp.Updated,
			"unchanged": imp.Unchanged, "missing": imp.Missing, "failed": imp.Failed, "events": imp.Events, "causes": imp.Causes, "stages": stages,
			"seconds": took.Seconds(), "failures": letters(failures),
		}); err != nil {
			return err
		}
	} else {
		printf(w, "%s: %d items in %s: %d created, %d updated, %d unchanged, %d gone, %d failed; %d events\n",
			imp.State, imp.Total, took.Round(time.Millisecond), imp.Created, imp.Updated, imp.Unchanged, imp.Missing, imp.Failed, imp.Events)
		printFailures(w, imp, failures)
	}
	if imp.State != upnext.Succeeded {
		return fmt.Errorf("import %s ended %s: %s", imp.ID, imp.State, imp.Error)
	}
	return nil
}

// printFailures prints how many there are of each cause, the first of them,
// and where the rest is to be seen.
func printFailures(w io.Writer, imp upnext.Import, failures []upnext.Failure) {
	var all int64
	for _, cause := range slices.Sorted(maps.Keys(imp.Causes)) {
		printf(w, "  %d × %s\n", imp.Causes[cause], cause)
		all += imp.Causes[cause]
	}
	for _, l := range letters(failures) {
		printf(w, "  %s\n", l)
	}
	if more := all - int64(len(failures)); more > 0 {
		printf(w, "  and %d more: GET /v1/imports/%s/failures of the server, or its console\n", more, imp.ID)
	}
}
