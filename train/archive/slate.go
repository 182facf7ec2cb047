package archive

import (
	"time"

	"upnext"
)

// Slate is a row of the slates: one answer. At is in microseconds since 1970, UTC.
type Slate struct {
	Seq       int64             `parquet:"seq,delta"` // order of recording; unique
	Viewer    string            `parquet:"viewer,dict"`
	Anonymous bool              `parquet:"anonymous"`
	ID        string            `parquet:"slate"` // what an event's slate names
	Session   string            `parquet:"session,optional,dict"`
	Scenario  string            `parquet:"scenario,optional,dict"`
	Variant   string            `parquet:"variant,optional,dict"`
	At        int64             `parquet:"at,timestamp(microsecond)"` // the day partition is made of it
	Items     []Placed          `parquet:"items,list"`
	Unshown   []Placed          `parquet:"unshown,list"` // a sample of the candidates that were not shown
	Shortfall int64             `parquet:"shortfall"`
	Degraded  []string          `parquet:"degraded,list"` // the stages that the answer did without
	Versions  map[string]string `parquet:"versions"`
}

// Placed is an item of a slate. Reasons are their codes: their words name what
// somebody has watched.
type Placed struct {
	Item       string             `parquet:"item,dict"`
	Rank       int64              `parquet:"rank"`
	Score      float64            `parquet:"score"`
	Sources    []string           `parquet:"sources,list"`
	Features   map[string]float64 `parquet:"features"`
	Propensity float64            `parquet:"propensity"`
	Reasons    []string           `parquet:"reasons,list"`
}

func (s Slate) sequence() int64   { return s.Seq }
func (s Slate) pseudonym() string { return s.Viewer }
func (s Slate) day() time.Time    { return time.UnixMicro(s.At) }

// slateRow makes the row of a slate.
func (a *Archive) slateRow(t upnext.Tenant) func(upnext.Slate) Slate {
	names := a.pseudonyms(t)
	return func(s upnext.Slate) Slate {
		row := Slate{
			Seq: s.Seq, Viewer: names.viewer(s.Viewer), Anonymous: s.Viewer.Anonymous, ID: string(s.ID),
			Session: names.session(s.Session), Scenario: s.Scenario, Variant: s.Variant, At: s.At.UnixMicro(),
			Items: placed(s.Items), Unshown: placed(s.Unshown), Shortfall: int64(s.Shortfall), Versions: s.Versions,
		}
		for _, d := range s.Degraded {
			row.Degraded = append(row.Degraded, d.Stage)
		}
		return row
	}
}

func placed(items []upnext.Placed) []Placed {
	rows := make([]Placed, len(items))
	for i, p := range items {
		rows[i] = Placed{
			Item: string(p.Item), Rank: int64(p.Rank), Score: p.Score, Sources: p.Sources,
			Features: p.Features, Propensity: p.Propensity,
		}
		for _, r := range p.Reasons {
			rows[i].Reasons = append(rows[i].Reasons, r.Code)
		}
	}
	return rows
}

// bytes is about how much memory the row takes.
func (s Slate) bytes() int {
	n := 512
	for _, p := range [][]Placed{s.Items, s.Unshown} {
		for _, item := range p {
			n += 256 + 64*len(item.Features) + 32*(len(item.Sources)+len(item.Reasons))
		}
	}
	return n
}
