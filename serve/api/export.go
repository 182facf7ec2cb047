package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
	"upnext/ingest/eventjson"
	"upnext/ingest/itemjson"
	"upnext/ingest/viewerjson"
)

// exportNext is the trailer that says after what a later export goes on. Where
// it is missing, the export broke off.
const exportNext = "Upnext-Next-After"

// exporter writes the lines behind a place, and returns the place reached.
type exporter func(a *api, ctx context.Context, t upnext.Tenant, after string, line func([]byte, error) error) (string, error)

// exports are what GET /v1/export/{what} gives, each in the shape in which it
// is taken in.
var exports = []struct {
	what, summary string
	lines         exporter
}{
	{"items", "Every item, a line of POST /v1/items each, by id", exportItems},
	{"events", "Every event, a line of POST /v1/events each, in the order of acceptance", exportEvents},
	{"slates", "Every recorded answer, with scores, features and propensities, in the order of recording", exportSlates},
	{"viewers", "The properties of every viewer; whom they follow is among the events", exportViewers},
}

// How many records of an export are held at once.
const (
	exportItemsAtOnce = 50 // with their transcripts
	exportAtOnce      = 1000
)

// export streams NDJSON, as slowly as it is read.
func (a *api) export(lines exporter) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx := c.Request.Context()
		out := bufio.NewWriterSize(c.Writer, 64<<10)
		started := false
		next, err := lines(a, ctx, callerOf(ctx).tenant, c.Query("after"), func(data []byte, err error) error {
			if err != nil {
				return err
			}
			if !started {
				started = true
				c.Header("Content-Type", "application/x-ndjson")
				c.Header("Trailer", exportNext)
			}
			_, err = out.Write(append(data, '\n'))
			return err
		})
		if err == nil {
			err = out.Flush()
		}
		switch {
		case err != nil && !c.Writer.Written():
			c.Writer.Header().Del("Trailer")
			a.fail(c, err)
		case err != nil:
			if ctx.Err() == nil {
				a.Logger.Error("export broke off", "path", c.Request.URL.Path, "error", err)
			}
			panic(http.ErrAbortHandler) // so that the caller does not take it for the whole
		case !started:
			c.Header("Content-Type", "application/x-ndjson")
			c.Writer.Header().Set(exportNext, next) // gin's Header leaves an empty one out
			c.Status(http.StatusOK)
			c.Writer.WriteHeaderNow()
		default:
			c.Writer.Header().Set(exportNext, next)
		}
	}
}

func (a *api) exportOperation(what, summary string) *huma.Operation {
	return &huma.Operation{
		OperationID: "export-" + what, Method: http.MethodGet, Path: "/v1/export/" + what, Summary: summary, Tags: []string{"export"},
		Parameters: []*huma.Param{{Name: "after", In: "query", Description: "What a former export gave as " + exportNext + ": only what follows it.", Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{"200": {
			Description: "NDJSON of any length. The trailer " + exportNext + " is missing where it broke off.",
			Content:     map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}
}

func exportItems(a *api, ctx context.Context, t upnext.Tenant, after string, line func([]byte, error) error) (string, error) {
	for {
		records, err := a.Catalog.List(ctx, t, "", upnext.ItemID(after), exportItemsAtOnce)
		if err != nil || len(records) == 0 {
			return after, err
		}
		for _, rec := range records {
			data, err := itemjson.Encode(rec.Item)
			if err := line(data, err); err != nil {
				return after, err
			}
			after = string(rec.Item.ID)
		}
	}
}

func exportEvents(a *api, ctx context.Context, t upnext.Tenant, after string, line func([]byte, error) error) (string, error) {
	seq, err := sequence(after)
	for err == nil {
		var events []upnext.Event
		if events, err = a.Recommender.Events.Since(ctx, t, seq, exportAtOnce); len(events) == 0 {
			break
		}
		for _, e := range events {
			data, err := eventjson.Encode(e)
			if err := line(data, err); err != nil {
				return "", err
			}
			seq = e.Seq
		}
	}
	return strconv.FormatInt(seq, 10), err
}

func exportViewers(a *api, ctx context.Context, t upnext.Tenant, after string, line func([]byte, error) error) (string, error) {
	for {
		viewers, err := a.Viewers.ListViewers(ctx, t, after, exportAtOnce)
		if err != nil || len(viewers) == 0 {
			return after, err
		}
		for _, v := range viewers {
			data, err := viewerjson.Encode(v)
			if err := line(data, err); err != nil {
				return after, err
			}
			after = v.ID.String()
		}
	}
}

func exportSlates(a *api, ctx context.Context, t upnext.Tenant, after string, line func([]byte, error) error) (string, error) {
	seq, err := sequence(after)
	for err == nil {
		var slates []upnext.Slate
		if slates, err = a.Recommender.Slates.SlatesSince(ctx, t, seq, exportAtOnce/10); len(slates) == 0 {
			break
		}
		for _, s := range slates {
			if err := line(json.Marshal(recordedOf(s))); err != nil {
				return "", err
			}
			seq = s.Seq
		}
	}
	return strconv.FormatInt(seq, 10), err
}

// sequence reads the place of an export that goes by sequence.
func sequence(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 0 {
		return 0, parameter("query.after", "%.40q is not what an export gave", after)
	}
	return n, nil
}

// recordedBody is a recorded answer: what an offline evaluation or a training
// elsewhere needs. Tokens speak for an answer to whoever got it, and are left out.
type recordedBody struct {
	ID          string             `json:"id"`
	UserID      string             `json:"user_id,omitempty"`
	AnonymousID string             `json:"anonymous_id,omitempty"`
	SessionID   string             `json:"session_id,omitempty"`
	Scenario    string             `json:"scenario"`
	Variant     string             `json:"variant,omitempty"`
	At          time.Time          `json:"at"`
	Items       []recordedPlace    `json:"items"`
	Unshown     []recordedPlace    `json:"unshown,omitempty"`
	Shortfall   int                `json:"shortfall,omitempty"`
	Degraded    []degradedBody     `json:"degraded,omitempty"`
	Versions    map[string]string  `json:"versions,omitempty"`
	TimingsMS   map[string]float64 `json:"timings_ms,omitempty"`
}

type recordedPlace struct {
	ID         string             `json:"id"`
	Rank       int                `json:"rank"`
	Score      float64            `json:"score"`
	Sources    []string           `json:"sources,omitempty"`
	Features   map[string]float64 `json:"features,omitempty"`
	Propensity float64            `json:"propensity"`
	Reasons    []reasonBody       `json:"reasons,omitempty"`
}

func recordedOf(s upnext.Slate) recordedBody {
	b := recordedBody{
		ID: string(s.ID), SessionID: s.Session, Scenario: s.Scenario, Variant: s.Variant, At: s.At.UTC(), Items: recordedPlaces(s.Items),
		Unshown: recordedPlaces(s.Unshown), Shortfall: s.Shortfall, Versions: s.Versions, TimingsMS: map[string]float64{},
	}
	if b.UserID = s.Viewer.ID; s.Viewer.Anonymous {
		b.UserID, b.AnonymousID = "", s.Viewer.ID
	}
	for _, d := range s.Degraded {
		b.Degraded = append(b.Degraded, degradedBody(d))
	}
	for stage, took := range s.Timings {
		b.TimingsMS[stage] = float64(took.Microseconds()) / 1000
	}
	return b
}

func recordedPlaces(items []upnext.Placed) []recordedPlace {
	places := make([]recordedPlace, len(items))
	for i, p := range items {
		places[i] = recordedPlace{ID: string(p.Item), Rank: p.Rank, Score: p.Score, Sources: p.Sources, Features: p.Features, Propensity: p.Propensity}
		for _, r := range p.Reasons {
			places[i].Reasons = append(places[i].Reasons, reasonBody{r.Code, r.Text, string(r.Item), r.Weight})
		}
	}
	return places
}
