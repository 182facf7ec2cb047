package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
	"upnext/ingest/eventjson"
)

type eventsOutput struct {
	Accepted   int            `json:"accepted" doc:"Kept, and felt by the next answer."`
	Duplicates int            `json:"duplicates" doc:"Known already; nothing was changed."`
	Rejected   []rejectedBody `json:"rejected" doc:"Not kept, and why; the first 1000."`
	RejectedN  int            `json:"rejected_count" doc:"How many were not kept."`
}

type rejectedBody struct {
	Index   int      `json:"index" doc:"Place in the array, or line less one, from 0."`
	Line    int      `json:"line,omitempty" doc:"Line of NDJSON, from 1."`
	Problem *Problem `json:"problem"`
}

// eventBatch is how many events of a body are kept in one call.
const eventBatch = 1000

// maxRejected is how many rejections an answer lists.
const maxRejected = 1000

// postEvents takes one event, an array or NDJSON of any length in bounded memory.
func (a *api) postEvents(c *gin.Context) {
	ctx, who := c.Request.Context(), callerOf(c.Request.Context())
	out := eventsOutput{Rejected: []rejectedBody{}}
	reject := func(r record, err error) {
		out.RejectedN++
		if len(out.Rejected) < maxRejected {
			out.Rejected = append(out.Rejected, rejectedBody{r.Index, r.Line, a.problem(ctx, err).under(r.Under)})
		}
	}
	batch, places := make([]upnext.Event, 0, eventBatch), make([]record, 0, eventBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		done, err := a.Recommender.Feedback(ctx, who.tenant, batch...)
		if err != nil {
			return fmt.Errorf("events %d to %d: %w", places[0].Index, places[len(places)-1].Index, err)
		}
		for _, d := range done {
			if d.Duplicate {
				out.Duplicates++
			} else {
				out.Accepted++
			}
		}
		batch, places = batch[:0], places[:0]
		return nil
	}
	all := records(c.Request.Body, c.ContentType(), 1<<20)
	if plainKind(c.ContentType()) {
		all = array(c.Request.Body, 1<<20, true)
	}
	for r, err := range all {
		if err != nil && r.Fatal {
			if ferr := flush(); ferr != nil {
				err = ferr
			}
			if out.Accepted+out.Duplicates+out.RejectedN == 0 {
				a.fail(c, err)
				return
			}
			reject(r, err) // what came before is kept: the answer says so
			break
		}
		if err != nil {
			reject(r, err)
			continue
		}
		e, err := eventjson.Decode(r.JSON)
		if err == nil {
			e.ReceivedAt = a.Now().UTC()
			e, err = a.Recommender.Prepare(who.tenant, e)
		}
		if err != nil {
			reject(r, err)
			continue
		}
		batch, places = append(batch, e), append(places, r)
		if len(batch) == eventBatch {
			if err := flush(); err != nil {
				a.fail(c, err)
				return
			}
		}
	}
	if err := flush(); err != nil {
		a.fail(c, err)
		return
	}
	status := http.StatusAccepted
	if out.Accepted+out.Duplicates == 0 && out.RejectedN > 0 {
		status = http.StatusUnprocessableEntity
	}
	c.JSON(status, out)
}

func (a *api) bulkEvents() *huma.Operation {
	op := a.bulkOperation("post-events", "/v1/events", "events", "Send events: one, an array, or NDJSON", http.StatusAccepted,
		typeOf[eventjson.Event](), typeOf[eventsOutput](), "How many were kept, were known already, and were refused and why.", []*huma.Param{beaconKey()})
	op.RequestBody.Content["text/plain"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "As a beacon sends it: JSON or NDJSON."}}
	return op
}

func (a *api) retractEvent(ctx context.Context, in *struct {
	ID          string `path:"id"`
	UserID      string `query:"user_id" doc:"Whose; needed where several viewers sent that id."`
	AnonymousID string `query:"anonymous_id"`
}) (*struct{}, error) {
	viewer, err := viewerOf(in.UserID, in.AnonymousID, false)
	if err != nil {
		return nil, err
	}
	return nil, a.Recommender.Retract(ctx, callerOf(ctx).tenant, viewer, upnext.EventID(in.ID))
}
