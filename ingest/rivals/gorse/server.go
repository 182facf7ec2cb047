package gorse

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"upnext"
	"upnext/ingest/rivals"
)

const (
	pageSize    = 1000
	maxPage     = 256 << 20 // bytes
	pageTries   = 6
	pageTimeout = 2 * time.Minute
)

// page is one page of a list of the API.
type page struct {
	Cursor   string
	Users    []user
	Items    []item
	Feedback []feedback
}

// fromServer reads the lists of the REST API, a page at a time.
func (r Reader) fromServer(ctx context.Context, to *rivals.Sink) error {
	client := &http.Client{Timeout: pageTimeout}
	for _, list := range []string{"items", "users", "feedback"} {
		n := 0
		place := func() string { n++; return fmt.Sprintf("%s, record %d", list, n) }
		for cursor := ""; ; {
			p, err := r.page(ctx, client, list, cursor)
			if err != nil {
				return fmt.Errorf("gorse: %w", err)
			}
			for _, g := range p.Items {
				err = firstOf(err, r.item(place(), g, to))
			}
			for _, g := range p.Users {
				err = firstOf(err, r.user(place(), g, to))
			}
			for _, g := range p.Feedback {
				err = firstOf(err, r.feedback(place(), g, to))
			}
			if err != nil {
				return err
			}
			if p.Cursor == "" {
				break
			}
			if p.Cursor == cursor {
				return fmt.Errorf("gorse: %s: the cursor stands still: %w", list, upnext.ErrUnavailable)
			}
			cursor = p.Cursor
		}
	}
	return nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// page reads one page, again where the server is away.
func (r Reader) page(ctx context.Context, client *http.Client, list, cursor string) (page, error) {
	at := strings.TrimRight(r.Source, "/") + "/api/" + list + "?" + url.Values{"n": {fmt.Sprint(pageSize)}, "cursor": {cursor}}.Encode()
	wait := 500 * time.Millisecond
	for try := 1; ; try++ {
		p, retry, err := r.once(ctx, client, at)
		if err == nil || !retry || try == pageTries {
			return p, err
		}
		select {
		case <-ctx.Done():
			return page{}, ctx.Err()
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (r Reader) once(ctx context.Context, client *http.Client, at string) (p page, retry bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return p, false, fmt.Errorf("%v: %w", err, upnext.ErrInvalid)
	}
	if r.Key != "" {
		req.Header.Set("X-API-Key", r.Key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return p, true, fmt.Errorf("%v: %w", err, upnext.ErrUnavailable)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300)) // for the message alone
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
			return p, true, fmt.Errorf("%s: %s: %s: %w", at, resp.Status, text, upnext.ErrUnavailable)
		}
		return p, false, fmt.Errorf("%s: %s: %s: %w", at, resp.Status, text, upnext.ErrInvalid)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxPage)).Decode(&p); err != nil {
		return p, true, fmt.Errorf("%s: %v: %w", at, err, upnext.ErrUnavailable)
	}
	return p, false, nil
}
