package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"upnext"
)

// slateBody is the body of a slates row.
type slateBody struct {
	Session   string                   `json:"session,omitempty"`
	Scenario  string                   `json:"scenario,omitempty"`
	Variant   string                   `json:"variant,omitempty"`
	Items     []placedRow              `json:"items,omitempty"`
	Unshown   []placedRow              `json:"unshown,omitempty"`
	Shortfall int                      `json:"shortfall,omitempty"`
	Degraded  []degradedRow            `json:"degraded,omitempty"`
	Versions  map[string]string        `json:"versions,omitempty"`
	Timings   map[string]time.Duration `json:"timings_ns,omitempty"`
	Request   json.RawMessage          `json:"request,omitempty"`
	Variety   map[string]float64       `json:"variety,omitempty"`
}

type placedRow struct {
	Item       string             `json:"item"`
	Rank       int                `json:"rank,omitempty"`
	Score      float64            `json:"score"`
	Sources    []string           `json:"sources,omitempty"`
	Features   map[string]float64 `json:"features,omitempty"`
	Propensity float64            `json:"propensity,omitempty"`
	Origins    []originRow        `json:"origins,omitempty"`
	Ranks      map[string]int     `json:"ranks,omitempty"`
	Decisions  []decisionRow      `json:"decisions,omitempty"`
	Reasons    []reasonRow        `json:"reasons,omitempty"`
	Blur       string             `json:"blur,omitempty"`
	Token      string             `json:"token,omitempty"`
}

type reasonRow struct {
	Code   string  `json:"code"`
	Text   string  `json:"text,omitempty"`
	Item   string  `json:"item,omitempty"`
	Weight float64 `json:"weight,omitempty"`
}

type degradedRow struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason,omitempty"`
}

func encodeSlate(s upnext.Slate) (string, error) {
	return encode(fmt.Sprintf("slate %s", s.ID), slateBody{
		Session: s.Session, Scenario: s.Scenario, Variant: s.Variant,
		Items: each(s.Items, placedToRow), Unshown: each(s.Unshown, placedToRow), Shortfall: s.Shortfall,
		Degraded: each(s.Degraded, func(d upnext.Degraded) degradedRow { return degradedRow(d) }),
		Versions: s.Versions, Timings: s.Timings, Request: s.Request, Variety: s.Variety,
	})
}

// each maps a list; an empty one becomes nil, as it does in a row.
func each[A, B any](list []A, f func(A) B) []B {
	var out []B
	for _, a := range list {
		out = append(out, f(a))
	}
	return out
}

func placedToRow(p upnext.Placed) placedRow {
	return placedRow{
		Item: string(p.Item), Rank: p.Rank, Score: p.Score, Sources: p.Sources, Features: p.Features,
		Propensity: p.Propensity, Blur: p.Blur, Token: p.Token, Origins: each(p.Origins, originToRow), Ranks: p.Ranks,
		Decisions: each(p.Decisions, func(d upnext.Decision) decisionRow { return decisionRow(d) }),
		Reasons: each(p.Reasons, func(r upnext.Reason) reasonRow {
			return reasonRow{r.Code, r.Text, string(r.Item), r.Weight}
		}),
	}
}

func (r placedRow) placed() upnext.Placed {
	return upnext.Placed{
		Item: upnext.ItemID(r.Item), Rank: r.Rank, Score: r.Score, Sources: r.Sources, Features: r.Features,
		Propensity: r.Propensity, Blur: r.Blur, Token: r.Token, Origins: each(r.Origins, originRow.origin), Ranks: r.Ranks,
		Decisions: each(r.Decisions, func(d decisionRow) upnext.Decision { return upnext.Decision(d) }),
		Reasons: each(r.Reasons, func(r reasonRow) upnext.Reason {
			return upnext.Reason{Code: r.Code, Text: r.Text, Item: upnext.ItemID(r.Item), Weight: r.Weight}
		}),
	}
}

// slateColumns are what scanSlate reads.
const slateColumns = `seq, id, viewer, at, body`

func scanSlate(rows *sql.Rows) (upnext.Slate, error) {
	var id, viewer, text string
	var seq, at int64
	if err := rows.Scan(&seq, &id, &viewer, &at, &text); err != nil {
		return upnext.Slate{}, err
	}
	v, err := upnext.ParseViewerID(viewer)
	if err != nil {
		return upnext.Slate{}, fmt.Errorf("slate %s: damaged row: %w", id, err)
	}
	b, err := decode[slateBody]("slate "+id, text)
	if err != nil {
		return upnext.Slate{}, err
	}
	return upnext.Slate{
		ID: upnext.SlateID(id), Viewer: v, Session: b.Session, Scenario: b.Scenario, Variant: b.Variant,
		At: fromMicros(at), Items: each(b.Items, placedRow.placed), Unshown: each(b.Unshown, placedRow.placed),
		Shortfall: b.Shortfall, Degraded: each(b.Degraded, func(d degradedRow) upnext.Degraded { return upnext.Degraded(d) }),
		Versions: b.Versions, Timings: b.Timings, Request: b.Request, Variety: b.Variety, Seq: seq,
	}, nil
}
