package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"upnext"
)

// throughServer asks the server that has the data directory open to import,
// and follows it to its end.
func (c *ingestCommand) throughServer(ctx context.Context, s *Settings, out console) error {
	r, err := findServer(s)
	if err != nil {
		return err
	}
	printf(out.err, "the server at %s has the data open: it does the import\n", r.url)
	var imp remoteImport
	if err := r.call(ctx, http.MethodPost, "/v1/imports", map[string]string{"source": c.Source, "format": c.Format, "on_missing": c.OnMissing}, &imp); err != nil {
		return err
	}
	for imp.State == string(upnext.Queued) || imp.State == string(upnext.Running) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		if err := r.call(ctx, http.MethodGet, "/v1/imports/"+imp.ID, nil, &imp); err != nil {
			return err
		}
	}
	failures, err := r.failures(ctx, imp.ID)
	if err != nil {
		return err
	}
	return report(s, out.out, imp.noun(), failures)
}

// failures asks for the first dead letters of an import.
func (r remote) failures(ctx context.Context, id string) ([]upnext.Failure, error) {
	var page struct{ Failures []letter }
	if err := r.call(ctx, http.MethodGet, fmt.Sprintf("/v1/imports/%s/failures?limit=%d", id, shownFailures), nil, &page); err != nil {
		return nil, err
	}
	failures := make([]upnext.Failure, len(page.Failures))
	for i, l := range page.Failures {
		failures[i] = upnext.Failure{Key: l.Key, Line: l.Line, Item: upnext.ItemID(l.Item), Stage: l.Stage, Cause: l.Cause, Detail: l.Detail}
	}
	return failures, nil
}

// remote is a running server.
type remote struct{ url, key string }

// findServer finds the server that has the data directory open.
func findServer(s *Settings) (remote, error) {
	note, err := os.ReadFile(filepath.Join(s.DataDir, "server.url"))
	if err != nil {
		return remote{}, fmt.Errorf("%s: %w, and it is no server (an import under way?)", s.DataDir, errLocked)
	}
	r := remote{url: strings.TrimSpace(string(note))}
	if len(s.SecretKeys) > 0 {
		r.key, _, _ = strings.Cut(s.SecretKeys[0], "@")
	}
	return r, nil
}

// remoteImport is the part of the API's import that is reported.
type remoteImport struct {
	ID, Source, State, Error                                    string
	Total, Created, Updated, Unchanged, Missing, Failed, Events int64
	Causes                                                      map[string]int64
	Stages                                                      []struct {
		Name   string
		Done   int64
		Failed int64
		BusyMS int64 `json:"busy_ms"`
	}
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
}

func (r remoteImport) noun() upnext.Import {
	imp := upnext.Import{
		ID: upnext.ImportID(r.ID), Source: r.Source, State: upnext.ImportState(r.State), Error: r.Error, Total: r.Total, Created: r.Created,
		Updated: r.Updated, Unchanged: r.Unchanged, Missing: r.Missing, Failed: r.Failed, Events: r.Events, Causes: r.Causes,
		StartedAt: r.StartedAt, EndedAt: r.EndedAt,
	}
	for _, s := range r.Stages {
		imp.Stages = append(imp.Stages, upnext.Stage{Name: s.Name, Done: s.Done, Failed: s.Failed, Busy: time.Duration(s.BusyMS) * time.Millisecond})
	}
	return imp
}

// send sends a request. The caller closes the answer's body.
func (r remote) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return resp, nil
}

// call sends body as JSON, if there is one, and reads the answer into out.
func (r remote) call(ctx context.Context, method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(raw)
	}
	resp, err := r.send(ctx, method, path, content)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 300 {
		return refusal(method, path, resp.Status, raw)
	}
	return json.Unmarshal(raw, out)
}

// refusal makes an error of a problem that the server answered with.
func refusal(method, path, status string, raw []byte) error {
	var problem struct{ Detail string }
	_ = json.Unmarshal(raw, &problem)
	return fmt.Errorf("%s %s: %s: %s", method, path, status, problem.Detail)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// printf writes for people; a closed terminal is no reason to stop working.
func printf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
