package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
	"upnext/ingest/itemjson"
)

// bulkResult is what became of one item of a bulk body.
type bulkResult struct {
	Line     int           `json:"line,omitempty" doc:"Line of NDJSON, from 1."`
	Index    int           `json:"index" doc:"Place in the body, from 0."`
	ID       string        `json:"id,omitempty"`
	Status   string        `json:"status,omitempty" doc:"created, updated, unchanged, or valid for a dry run."`
	Problem  *Problem      `json:"problem,omitempty"`
	Failures []failureBody `json:"failures,omitempty" doc:"Parts that could not be read; the item was taken without them."`
}

// bulkOutput answers a body of JSON.
type bulkOutput struct {
	Results []bulkResult `json:"results"`
	Failed  int          `json:"failed"`
}

// itemBatch is how many items of a body are written in one call; the answer's
// lines flow after each.
const itemBatch = 64

// bulkRun is one POST /v1/items under way.
type bulkRun struct {
	a      *api
	c      *gin.Context
	dry    bool
	items  []upnext.Item
	places []record
	failed int
	emit   func(bulkResult)
}

// postItems takes one item, an array or NDJSON of any length in bounded
// memory. NDJSON is answered line by line while it is read.
func (a *api) postItems(c *gin.Context) {
	onError := c.DefaultQuery("on_error", "continue")
	if onError != "continue" && onError != "abort" {
		a.fail(c, parameter("query.on_error", "continue or abort"))
		return
	}
	dry, err := strconv.ParseBool(c.DefaultQuery("dry_run", "false"))
	if err != nil {
		a.fail(c, parameter("query.dry_run", "true or false"))
		return
	}
	ndjson := streams(c)
	run := &bulkRun{a: a, c: c, dry: dry}
	results := []bulkResult{}
	run.emit = func(r bulkResult) { results = append(results, r) }
	if ndjson {
		stream(c, run)
	}
	for r, err := range records(c.Request.Body, c.ContentType(), maxBody) {
		if err == nil {
			err = run.take(r)
		}
		if err != nil {
			run.flush()
			run.refuse(r, "", err)
		}
		if len(run.items) == itemBatch {
			run.flush()
		}
		if r.Fatal || c.Request.Context().Err() != nil || run.failed > 0 && onError == "abort" {
			break
		}
	}
	run.flush()
	if err := a.Recommender.Refresh(context.WithoutCancel(c.Request.Context()), callerOf(c.Request.Context()).tenant); err != nil {
		a.Logger.Warn("refresh after bulk write failed", "err", err)
	}
	if ndjson {
		return
	}
	status := http.StatusOK
	if run.failed > 0 && run.failed == len(results) {
		status = http.StatusUnprocessableEntity
		if len(results) == 1 {
			a.fail(c, results[0].Problem)
			return
		}
	}
	c.JSON(status, bulkOutput{results, run.failed})
}

// stream makes the run's results flow as NDJSON while the body is still read.
func stream(c *gin.Context, run *bulkRun) {
	control := http.NewResponseController(c.Writer)
	_ = control.EnableFullDuplex() // HTTP/2 always is; a writer that cannot buffers
	c.Header("Content-Type", "application/x-ndjson")
	c.Status(http.StatusOK)
	out := json.NewEncoder(c.Writer)
	out.SetEscapeHTML(false)
	run.emit = func(r bulkResult) {
		if out.Encode(r) == nil {
			_ = control.Flush()
		}
	}
}

// take reads one item and puts it in the batch.
func (run *bulkRun) take(r record) error {
	ctx := run.c.Request.Context()
	it, err := run.a.decodeItem(ctx, callerOf(ctx).tenant, r.JSON)
	if err != nil {
		return err
	}
	if run.dry {
		if err := it.Validate(); err != nil {
			return err
		}
		run.emit(bulkResult{Line: r.Line, Index: r.Index, ID: string(it.ID), Status: "valid"})
		return nil
	}
	run.items, run.places = append(run.items, it), append(run.places, r)
	return nil
}

// flush writes the batch and reports each of it.
func (run *bulkRun) flush() {
	if len(run.items) == 0 {
		return
	}
	ctx := run.c.Request.Context()
	done, err := run.a.Writer.Put(ctx, callerOf(ctx).tenant, run.items...)
	for i, r := range run.places {
		id := string(run.items[i].ID)
		switch {
		case err != nil:
			run.refuse(r, id, err)
		case done[i].Err != nil:
			run.refuse(r, id, done[i].Err)
		default:
			run.emit(bulkResult{Line: r.Line, Index: r.Index, ID: id, Status: string(done[i].Status), Failures: failures(done[i].Failures)})
		}
	}
	run.items, run.places = run.items[:0], run.places[:0]
}

func (run *bulkRun) refuse(r record, id string, err error) {
	run.failed++
	run.emit(bulkResult{Line: r.Line, Index: r.Index, ID: id, Problem: run.a.problem(run.c.Request.Context(), err).under(r.Under)})
}

func (a *api) bulkItems() *huma.Operation {
	op := a.bulkOperation("post-items", "/v1/items", "items", "Insert or replace items: one, an array, or NDJSON with a result per line", http.StatusOK,
		typeOf[itemjson.Item](), typeOf[bulkOutput](), "A result for each item: as JSON, or line by line for NDJSON.", []*huma.Param{
			{Name: "on_error", In: "query", Description: "abort stops at the first error; what came before stays.", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"continue", "abort"}}},
			{Name: "dry_run", In: "query", Description: "Check only.", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		})
	op.Responses["200"].Content["application/x-ndjson"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "One of results a line."}}
	return op
}
