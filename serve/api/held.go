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
)

// heldLine is one line of what is held of a user; Type says which field is there.
type heldLine struct {
	Type           string          `json:"type"`
	User           *userBody       `json:"user,omitempty"`
	Profile        *profileBody    `json:"profile,omitempty"`
	AnonymousID    string          `json:"anonymous_id,omitempty"`
	Event          json.RawMessage `json:"event,omitempty"`
	Recommendation *recordedBody   `json:"recommendation,omitempty"`
	Cursor         *heldCursor     `json:"cursor,omitempty"`
	Reply          *heldReplyBody  `json:"reply,omitempty"`
	Lines          int             `json:"lines,omitempty"`
}

type heldCursor struct {
	ID       string                     `json:"id"`
	Until    time.Time                  `json:"until"`
	Requests map[string]json.RawMessage `json:"requests"`
	Returned []upnext.ItemID            `json:"returned"`
}

type heldReplyBody struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`
	Body   string    `json:"body"`
}

// exportUser streams all that is held of a user, as slowly as it is read. Its
// last line counts the others: where it is missing, the rest broke off.
func (a *api) exportUser(c *gin.Context) {
	ctx, t := c.Request.Context(), callerOf(c.Request.Context()).tenant
	anonymous, err := strconv.ParseBool(c.DefaultQuery("anonymous", "false"))
	if err != nil {
		a.fail(c, parameter("query.anonymous", "true or false"))
		return
	}
	path := UserPath{ID: c.Param("id"), Anonymous: anonymous}
	id, err := a.viewer(ctx, path)
	if err != nil {
		a.fail(c, err)
		return
	}
	user, err := a.readUser(ctx, path) // ErrNotFound: nothing was ever heard of them
	if err != nil {
		a.fail(c, err)
		return
	}
	profile, err := a.readProfile(ctx, id)
	if err != nil {
		a.fail(c, err)
		return
	}
	names, err := a.Recommender.Held(ctx, t, id)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.Header("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(c.Writer, 64<<10)
	to, lines := json.NewEncoder(out), 0
	write := func(line heldLine) error {
		lines++
		return to.Encode(line)
	}
	profile.Recent = []eventjson.Event{} // they follow, all of them
	err = write(heldLine{Type: "user", User: &user})
	if err == nil {
		err = write(heldLine{Type: "profile", Profile: &profile})
	}
	for i, name := range names {
		if err == nil && i > 0 {
			err = write(heldLine{Type: "merged", AnonymousID: name.ID})
		}
		if err == nil {
			err = a.writeHeld(ctx, t, name, write)
		}
	}
	if err == nil {
		err = to.Encode(heldLine{Type: "end", Lines: lines})
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		return
	}
	if ctx.Err() == nil {
		a.Logger.Error("export of a user broke off", append(about(ctx), "err", err)...)
	}
	panic(http.ErrAbortHandler) // so that the caller does not take it for the whole
}

// writeHeld writes what the stores hold under one name.
func (a *api) writeHeld(ctx context.Context, t upnext.Tenant, name upnext.ViewerID, write func(heldLine) error) error {
	for e, err := range a.Holdings.HeldEvents(ctx, t, name) {
		if err != nil {
			return err
		}
		e.Token = "" // it speaks for one answer, to whoever got it
		data, err := eventjson.Encode(e)
		if err == nil {
			err = write(heldLine{Type: "event", Event: data})
		}
		if err != nil {
			return err
		}
	}
	for s, err := range a.Holdings.HeldSlates(ctx, t, name) {
		if err != nil {
			return err
		}
		body := recordedOf(s)
		if err := write(heldLine{Type: "recommendation", Recommendation: &body}); err != nil {
			return err
		}
	}
	for cur, err := range a.Holdings.HeldCursors(ctx, t, name) {
		if err != nil {
			return err
		}
		body := &heldCursor{ID: string(cur.ID), Until: cur.Until, Returned: cur.Returned, Requests: map[string]json.RawMessage{}}
		for row, request := range cur.Requests {
			body.Requests[row] = request
		}
		if err := write(heldLine{Type: "cursor", Cursor: body}); err != nil {
			return err
		}
	}
	for r, err := range a.Holdings.HeldReplies(ctx, t, name) {
		if err != nil {
			return err
		}
		if err := write(heldLine{Type: "reply", Reply: &heldReplyBody{r.At, r.Status, string(r.Body)}}); err != nil {
			return err
		}
	}
	return nil
}

func (a *api) exportUserOperation() *huma.Operation {
	return &huma.Operation{
		OperationID: "get-users-id-export", Method: http.MethodGet, Path: "/v1/users/{id}/export", Tags: []string{"users"},
		Summary: "All that is held of a user, and of the anonymous viewers who were merged into them",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "anonymous", In: "query", Description: "The id is an anonymous_id.", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "NDJSON: a line each of the types user, profile, merged, event, recommendation, cursor, reply; the last one, end, counts the others. " +
					"Older events that have left the database for the archive are under a pseudonym there, and not in it.",
				Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(typeOf[heldLine](), true, "")}},
			},
			"404": {Description: "Nothing was ever heard of them."},
		},
	}
}
