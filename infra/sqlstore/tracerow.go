package sqlstore

import (
	"fmt"
	"time"

	"upnext"
)

// traceBody is the body of a traces row.
type traceBody struct {
	Sources    []broughtRow `json:"sources,omitempty"`
	Candidates []placedRow  `json:"candidates,omitempty"`
	Omitted    int          `json:"omitted,omitempty"`
}

type broughtRow struct {
	Source string         `json:"source"`
	Asked  int            `json:"asked,omitempty"`
	Found  int            `json:"found,omitempty"`
	Turned map[string]int `json:"turned,omitempty"`
	Took   time.Duration  `json:"took_ns,omitempty"`
	Error  string         `json:"error,omitempty"`
}

type originRow struct {
	Source string  `json:"source"`
	Rank   int     `json:"rank,omitempty"`
	Score  float64 `json:"score,omitempty"`
	Share  float64 `json:"share,omitempty"`
	From   string  `json:"from,omitempty"`
	About  string  `json:"about,omitempty"`
}

type decisionRow struct {
	Rule   string `json:"rule"`
	Action string `json:"action,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func encodeTrace(id upnext.SlateID, t upnext.Trace) (string, error) {
	return encode(fmt.Sprintf("trace of slate %s", id), traceBody{
		Sources:    each(t.Sources, func(b upnext.Brought) broughtRow { return broughtRow(b) }),
		Candidates: each(t.Candidates, placedToRow), Omitted: t.Omitted,
	})
}

func decodeTrace(id upnext.SlateID, text string) (*upnext.Trace, error) {
	b, err := decode[traceBody](fmt.Sprintf("trace of slate %s", id), text)
	if err != nil {
		return nil, err
	}
	return &upnext.Trace{
		Sources:    each(b.Sources, func(r broughtRow) upnext.Brought { return upnext.Brought(r) }),
		Candidates: each(b.Candidates, placedRow.placed), Omitted: b.Omitted,
	}, nil
}

func originToRow(o upnext.Origin) originRow {
	return originRow{o.Source, o.Rank, o.Score, o.Share, string(o.From), o.About}
}

func (r originRow) origin() upnext.Origin {
	return upnext.Origin{Source: r.Source, Rank: r.Rank, Score: r.Score, Share: r.Share, From: upnext.ItemID(r.From), About: r.About}
}
