package trials

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"upnext"
)

// serverClient speaks to the server as a platform would.
type serverClient struct {
	base string
	http *http.Client
}

// call sends a body and reads the answer into out, unless it is nil. An answer of
// 400 or more is an error with the beginning of what it says.
func (c serverClient) call(ctx context.Context, method, path, kind string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, err, upnext.ErrInvalid)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, err, upnext.ErrUnavailable)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, err, upnext.ErrUnavailable)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s: %.300s: %w", path, resp.Status, raw, upnext.ErrUnavailable)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

const asJSON = "application/json"

// page is what a viewer, by number from 0, is recommended: films from 0. lacking
// names what the answer had to do without.
func (c serverClient) page(ctx context.Context, viewer int, more map[string]any) (list []int32, lacking string, err error) {
	body := map[string]any{"user_id": strconv.Itoa(viewer + 1), "count": listed, "explain": "none", "record": false}
	for k, v := range more {
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, "", err
	}
	var answer struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
		Degraded []struct{ Stage, Reason string } `json:"degraded"`
	}
	if err := c.call(ctx, http.MethodPost, "/v1/recommend", asJSON, raw, &answer); err != nil {
		return nil, "", err
	}
	for _, d := range answer.Degraded {
		lacking += d.Stage + ": " + d.Reason + "; "
	}
	list = make([]int32, len(answer.Items))
	for i, it := range answer.Items {
		n, err := strconv.Atoi(it.ID)
		if err != nil {
			return nil, "", fmt.Errorf("an item %q, which is not of the set: %w", it.ID, upnext.ErrInvalid)
		}
		list[i] = int32(n - 1)
	}
	return list, lacking, nil
}
