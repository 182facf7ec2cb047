package sqlstore

import (
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

// countColumns are those of measures that are summed, in the order of upnext.Counts.
var countColumns = []string{
	"impressions", "clicks", "conversions", "watches", "timed", "valid_views", "completes", "quick_skips", "watched", "squares",
}

// attributionBody is the body of an attributions row.
type attributionBody struct {
	By         string        `json:"by"`
	ShownAt    stamp         `json:"shown_at"`
	Rank       int           `json:"rank,omitempty"`
	Variant    string        `json:"variant,omitempty"`
	Propensity float64       `json:"propensity,omitempty"`
	Scenario   string        `json:"scenario,omitempty"`
	Sources    []string      `json:"sources,omitempty"`
	Kind       string        `json:"kind,omitempty"`
	Act        string        `json:"act"`
	Reported   bool          `json:"reported,omitempty"`
	Watched    time.Duration `json:"watched_ns,omitempty"`
	Length     time.Duration `json:"length_ns,omitempty"`
}

func encodeAttribution(a upnext.Attribution) (string, error) {
	if err := checkColumns("slate", string(a.Slate), "item", string(a.Item), "viewer", a.Viewer.String(), "scenario", a.Scenario, "kind", string(a.Kind)); err != nil {
		return "", fmt.Errorf("event %d: %w", a.Seq, err)
	}
	for _, s := range a.Sources {
		if err := checkColumns("source", s); err != nil {
			return "", fmt.Errorf("event %d: %w", a.Seq, err)
		}
	}
	return encode(fmt.Sprintf("attribution of event %d", a.Seq), attributionBody{
		By: string(a.By), ShownAt: stamp{a.ShownAt}, Rank: a.Rank, Variant: a.Variant, Propensity: a.Propensity, Scenario: a.Scenario,
		Sources: a.Sources, Kind: string(a.Kind), Act: string(a.Act), Reported: a.Reported, Watched: a.Watched, Length: a.Length,
	})
}

// attributionColumns are what scanAttribution reads.
const attributionColumns = `slate, item, seq, viewer, body`

func scanAttribution(rows *sql.Rows) (upnext.Attribution, error) {
	var a upnext.Attribution
	var viewer, text string
	if err := rows.Scan(&a.Slate, &a.Item, &a.Seq, &viewer, &text); err != nil {
		return a, err
	}
	b, err := decode[attributionBody](fmt.Sprintf("attribution of event %d", a.Seq), text)
	if err != nil {
		return a, err
	}
	if a.Viewer, err = upnext.ParseViewerID(viewer); err != nil {
		return a, fmt.Errorf("attribution of event %d: damaged row: %w", a.Seq, err)
	}
	a.By, a.ShownAt, a.Rank, a.Variant, a.Propensity = upnext.AttributedBy(b.By), b.ShownAt.Time, b.Rank, b.Variant, b.Propensity
	a.Scenario, a.Sources, a.Kind, a.Act = b.Scenario, b.Sources, upnext.Kind(b.Kind), upnext.EventKind(b.Act)
	a.Reported, a.Watched, a.Length = b.Reported, b.Watched, b.Length
	return a, nil
}

// showingBody is the column of a slates row that attribution reads.
type showingBody struct {
	Scenario string         `json:"s,omitempty"`
	Variant  string         `json:"v,omitempty"`
	Items    []shownItemRow `json:"i,omitempty"`
}

type shownItemRow struct {
	Item       string   `json:"i"`
	Rank       int      `json:"r"`
	Propensity float64  `json:"p"`
	Sources    []string `json:"s,omitempty"`
}

func encodeShowing(s upnext.Slate) (string, error) {
	b := showingBody{s.Scenario, s.Variant, make([]shownItemRow, len(s.Items))}
	for i, p := range s.Items {
		b.Items[i] = shownItemRow{string(p.Item), p.Rank, p.Propensity, p.Sources}
	}
	return encode(fmt.Sprintf("slate %s", s.ID), b)
}
