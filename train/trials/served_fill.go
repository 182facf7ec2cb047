package trials

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"upnext"
	"upnext/train/datasets"
)

// linesAPost is how many lines of NDJSON one call takes.
const linesAPost = 2000

// fill puts the films and sends the ratings that are not held out.
func (c serverClient) fill(ctx context.Context, films []datasets.RatedFilm, ratings []datasets.Rating) error {
	items := make([]map[string]any, len(films))
	for i, f := range films {
		items[i] = map[string]any{"id": strconv.Itoa(f.ID), "kind": "video", "title": f.Title, "tags": f.Genres, "language": "en"}
		if !f.Released.IsZero() {
			items[i]["published_at"] = f.Released
		}
	}
	for some := range slices.Chunk(items, linesAPost) {
		if err := c.post(ctx, "/v1/items", some, nil); err != nil {
			return err
		}
	}
	var events []map[string]any
	for _, r := range datasets.Rest(ratings, heldOut) {
		events = append(events, map[string]any{
			"id": fmt.Sprintf("%d-%d", r.User, r.Item), "kind": "rate", "at": time.Unix(r.At, 0).UTC(),
			"user_id": strconv.Itoa(r.User), "item_id": strconv.Itoa(r.Item), "value": float64(r.Stars-1) / 4,
		})
	}
	for some := range slices.Chunk(events, linesAPost) {
		var answer struct{ Accepted, Duplicates int }
		if err := c.post(ctx, "/v1/events", some, &answer); err != nil {
			return err
		}
		if answer.Accepted != len(some) {
			return fmt.Errorf("of %d events %d are new to the server, which is to have none at the start: %w", len(some), answer.Accepted, upnext.ErrConflict)
		}
	}
	return nil
}

// post sends records as NDJSON.
func (c serverClient) post(ctx context.Context, path string, records []map[string]any, out any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return c.call(ctx, http.MethodPost, path, "application/x-ndjson", body.Bytes(), out)
}

// train has the server train its standard models and waits until they answer.
func (c serverClient) train(ctx context.Context) error {
	var run struct{ ID, State, Error string }
	if err := c.call(ctx, http.MethodPost, "/v1/models/train", asJSON, []byte("{}"), &run); err != nil {
		return err
	}
	for run.State == "queued" || run.State == "running" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		if err := c.call(ctx, http.MethodGet, "/v1/models/runs/"+run.ID, asJSON, nil, &run); err != nil {
			return err
		}
	}
	if run.State != "succeeded" {
		return fmt.Errorf("training %s: %s: %w", run.State, run.Error, upnext.ErrUnavailable)
	}
	for { // servers look for what is promoted every second or so
		var answer struct{ Versions map[string]string }
		if err := c.call(ctx, http.MethodPost, "/v1/recommend", asJSON, []byte(`{"user_id":"1","explain":"trace","record":false}`), &answer); err != nil {
			return err
		}
		if answer.Versions["models"] != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
