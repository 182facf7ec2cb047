package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"upnext"
	"upnext/filter"
	"upnext/ingest/itemjson"
)

// ItemPath names an item in a path.
type ItemPath struct {
	ID string `path:"id" doc:"Percent-encoded, / included."`
}

// itemInput is an item in a request: read by itemjson, described by its type.
type itemInput struct {
	ItemPath
	Conditions
	RawBody []byte
}

type itemOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"Of the item as it stands: for If-Match and If-None-Match."`
	Body   itemReply
}

// itemReply is an item as it stands in the catalogue.
type itemReply struct {
	itemjson.Item
	ItemStatus string        `json:"outcome,omitempty" doc:"After a write: created, updated or unchanged."`
	Failures   []failureBody `json:"failures,omitempty" doc:"After a write: parts that could not be read; the item was taken without them."`
	UpdatedAt  time.Time     `json:"updated_at"`
	Version    int64         `json:"version"`
}

// putItem answers when the item is searchable.
func (a *api) putItem(ctx context.Context, in *itemInput) (*itemOutput, error) {
	if !in.given() {
		return a.writeItem(ctx, in.ID, in.RawBody, nil)
	}
	rec, err := a.record(ctx, in.ID)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return nil, err
	}
	if err := in.met(versionTag(rec.Version)); err != nil {
		return nil, err
	}
	out, err := a.writeItem(ctx, in.ID, in.RawBody, &rec.Version)
	return out, a.overtaken(ctx, in, err)
}

// overtaken says of a conditional write that lost against another one what the
// condition is worth now.
func (a *api) overtaken(ctx context.Context, in *itemInput, err error) error {
	if !errors.Is(err, upnext.ErrConflict) || !in.given() {
		return err
	}
	rec, _ := a.record(ctx, in.ID) // without an answer it is as good as gone
	if unmet := in.met(versionTag(rec.Version)); unmet != nil {
		return unmet
	}
	return err
}

// writeItem puts an item; only, unless nil, is the version that it must stand at.
func (a *api) writeItem(ctx context.Context, id string, raw []byte, only *int64) (*itemOutput, error) {
	t := callerOf(ctx).tenant
	it, err := a.decodeItem(ctx, t, raw)
	if err != nil {
		return nil, err
	}
	if it.ID == "" {
		it.ID = upnext.ItemID(id)
	}
	if string(it.ID) != id {
		return nil, upnext.Invalid("id", "%.80q in the body, %.80q in the path", it.ID, id)
	}
	var done []Written
	if only == nil {
		done, err = a.Writer.Put(ctx, t, it)
	} else {
		done = make([]Written, 1)
		done[0], err = a.Writer.PutOnly(ctx, t, it, *only)
	}
	if err != nil {
		return nil, err
	}
	if done[0].Err != nil {
		return nil, done[0].Err
	}
	if err := a.Recommender.Refresh(ctx, t); err != nil {
		return nil, err
	}
	rec, err := a.record(ctx, id)
	if err != nil {
		return nil, err
	}
	out, err := replyOf(rec)
	if err != nil {
		return nil, err
	}
	out.Body.ItemStatus, out.Body.Failures = string(done[0].Status), failures(done[0].Failures)
	return out, nil
}

// decodeItem reads an item with the tenant's attribute types.
func (a *api) decodeItem(ctx context.Context, t upnext.Tenant, raw []byte) (upnext.Item, error) {
	schema, err := a.Schemas.Schema(ctx, t, "items")
	if err != nil {
		return upnext.Item{}, err
	}
	return itemjson.Decode(raw, schema)
}

// patchTries bounds how often a patch is laid over what another write left, with
// pauses of up to patchPause more each time: one write raises the version
// several times.
const (
	patchTries = 12
	patchPause = 5 * time.Millisecond
)

// patchItem lays a merge patch over the item as it stands and puts the result.
// Of patches at once none is lost: who comes second reads again.
func (a *api) patchItem(ctx context.Context, in *itemInput) (*itemOutput, error) {
	for try := 1; ; try++ {
		out, err := a.patchOnce(ctx, in)
		if !errors.Is(err, upnext.ErrConflict) || in.given() || try == patchTries {
			return out, a.overtaken(ctx, in, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(rand.N(time.Duration(try) * patchPause)):
		}
	}
}

func (a *api) patchOnce(ctx context.Context, in *itemInput) (*itemOutput, error) {
	rec, err := a.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := in.met(versionTag(rec.Version)); err != nil {
		return nil, err
	}
	now, err := itemjson.Encode(rec.Item)
	if err != nil {
		return nil, err
	}
	var patch map[string]any
	if err := json.Unmarshal(in.RawBody, &patch); err != nil {
		return nil, upnext.Unread("patch", err)
	}
	if patch == nil { // RFC 7396 would make nothing of the item
		return nil, fmt.Errorf("patch: null is not a change: %w", upnext.ErrInvalid)
	}
	merged, err := mergePatch(json.RawMessage(now), patch)
	if err != nil {
		return nil, err
	}
	return a.writeItem(ctx, in.ID, merged, &rec.Version)
}

func (a *api) getItem(ctx context.Context, in *struct {
	ItemPath
	Conditions
}) (*itemOutput, error) {
	rec, err := a.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if tag := versionTag(rec.Version); in.known(tag) {
		return &itemOutput{Status: http.StatusNotModified, ETag: tag}, nil
	}
	return replyOf(rec)
}

// record returns one item from the catalogue, or ErrNotFound.
func (a *api) record(ctx context.Context, id string) (upnext.Record, error) {
	recs, err := a.Catalog.Get(ctx, callerOf(ctx).tenant, upnext.ItemID(id))
	if err != nil {
		return upnext.Record{}, err
	}
	if len(recs) == 0 {
		return upnext.Record{}, fmt.Errorf("item %.300s: %w", id, upnext.ErrNotFound)
	}
	return recs[0], nil
}

func replyOf(rec upnext.Record) (*itemOutput, error) {
	raw, err := itemjson.Encode(rec.Item)
	if err != nil {
		return nil, err
	}
	out := &itemOutput{http.StatusOK, versionTag(rec.Version), itemReply{UpdatedAt: rec.UpdatedAt, Version: rec.Version}}
	return out, json.Unmarshal(raw, &out.Body.Item)
}

// deleteItem looks at its condition before it, not while: a write at the same
// moment may go with what was there.
func (a *api) deleteItem(ctx context.Context, in *struct {
	ItemPath
	IfMatch string `header:"If-Match" doc:"An ETag that was read: refused with 412 if it is not so any more."`
}) (*struct{}, error) {
	t := callerOf(ctx).tenant
	if in.IfMatch != "" {
		rec, err := a.record(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := (Conditions{IfMatch: in.IfMatch}).met(versionTag(rec.Version)); err != nil {
			return nil, err
		}
	}
	n, err := a.Writer.Delete(ctx, t, upnext.ItemID(in.ID))
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("item %.300s: %w", in.ID, upnext.ErrNotFound)
	}
	return nil, a.Recommender.Refresh(ctx, t)
}

type itemsOutput struct {
	Body struct {
		Items []itemReply `json:"items"`
		Next  string      `json:"next_cursor,omitempty" doc:"Send as cursor for what follows; absent at the end."`
	}
}

// scanLimit is how many records one list call looks at for a filter.
const scanLimit = 5000

// listItems lists by id. With a filter that few pass, a page may be short and
// still have a cursor.
func (a *api) listItems(ctx context.Context, in *struct {
	Filter string `query:"filter" doc:"Expression over the items' fields."`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*itemsOutput, error) {
	t := callerOf(ctx).tenant
	var pass *filter.Filter
	if in.Filter != "" {
		schema, err := a.Schemas.Schema(ctx, t, "items")
		if err != nil {
			return nil, err
		}
		if pass, err = filter.Parse(in.Filter, schema); err != nil {
			return nil, of("query.filter", err)
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, parameter("query.cursor", "not one of ours")
	}
	var out itemsOutput
	out.Body.Items = []itemReply{}
	last := upnext.ItemID(after)
	for scanned := 0; scanned < scanLimit; {
		recs, err := a.Catalog.List(ctx, t, "", last, in.Limit)
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			last = rec.Item.ID
			if pass != nil && !pass.Match(rec.Fields(), filter.Vars{Now: a.Now()}) {
				continue
			}
			one, err := replyOf(rec)
			if err != nil {
				return nil, err
			}
			if out.Body.Items = append(out.Body.Items, one.Body); len(out.Body.Items) == in.Limit {
				out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
				return &out, nil
			}
		}
		if scanned += len(recs); len(recs) < in.Limit {
			return &out, nil
		}
	}
	out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
	return &out, nil
}

type statusOutput struct {
	Body struct {
		ItemID       string     `json:"item_id"`
		Collection   string     `json:"collection"`
		SearchableAt *time.Time `json:"searchable_at,omitempty" doc:"Absent while it is not searchable."`
		Current      bool       `json:"current" doc:"Whether the index holds the item as it is now."`
		Text         string     `json:"text" doc:"done, none, pending, or why it failed."`
		Image        string     `json:"image" doc:"done, none, pending, or why it failed."`
	}
}

func (a *api) itemStatus(ctx context.Context, in *ItemPath) (*statusOutput, error) {
	rec, err := a.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	collection := a.answering(ctx, callerOf(ctx).tenant)
	marks, err := a.Indexings.Get(ctx, callerOf(ctx).tenant, collection, rec.Item.ID)
	if err != nil {
		return nil, err
	}
	var out statusOutput
	out.Body.ItemID, out.Body.Collection, out.Body.Text, out.Body.Image = in.ID, collection, "pending", "pending"
	if len(marks) > 0 {
		m := marks[0]
		out.Body.Text, out.Body.Image, out.Body.Current = m.Text, m.Image, m.Hash == rec.Hash
		if !m.At.IsZero() {
			out.Body.SearchableAt = &m.At
		}
	}
	return &out, nil
}

// displayed are the fields that include may name, beside attributes.NAME.
var displayed = map[string]bool{"description": true, "thumbnail": true}

func includable(name string) bool {
	_, field := upnext.ItemFields[name]
	return field || displayed[name] || strings.HasPrefix(name, "attributes.")
}

// properties are the fields of an item that a request asked for.
func properties(rec upnext.Record, include []string) map[string]any {
	if len(include) == 0 {
		return nil
	}
	fields := rec.Fields()
	out := make(map[string]any, len(include))
	for _, name := range include {
		v, ok := fields[name]
		switch {
		case name == "thumbnail" && rec.Item.Thumbnail != "":
			out[name] = rec.Item.Thumbnail
		case ok:
			out[name] = v
		}
	}
	return out
}

// strictJSON decodes and refuses unknown fields.
func strictJSON(raw []byte, to any) error {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	return dec.Decode(to)
}
