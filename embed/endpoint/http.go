package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Bounds on what is read of an answer, in bytes.
const (
	maxBody    = 64 << 20 // a thousand vectors of 4,096 components as decimal numbers
	maxMessage = 4 << 10
)

var errTooLarge = errors.New("the answer is longer than is read")

// HTTP is what engines send their requests through, and what lends a library
// that is given an http client the status, the Retry-After and the limits that
// it lacks: an answer that is no success comes back as a *StatusError, and
// a body ends with an error after 64 MB. It follows no redirects, so that a key
// goes to no other host. The deadline is the context's.
type HTTP struct {
	client *http.Client
	token  string // bearer; may be empty
}

// NewHTTP makes one over a transport (nil: a usual one of its own). token is sent
// as a bearer token where it is not empty.
func NewHTTP(transport http.RoundTripper, token string) *HTTP {
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = 64 // as many as batches may be in flight
		transport = own
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &HTTP{client: &http.Client{Transport: transport, CheckRedirect: stay}, token: token}
}

// Do sends a request.
func (h *HTTP) Do(req *http.Request) (*http.Response, error) {
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	res, err := h.client.Do(req)
	if err != nil {
		// The library's error quotes the whole address.
		return nil, fmt.Errorf("%s %s: %w", req.Method, Shown(req.URL.String()), cause(err))
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer res.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxMessage)) // what can be read of a failure
		return nil, &StatusError{
			URL: Shown(req.URL.String()), Code: res.StatusCode, Message: words(body),
			RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now()),
		}
	}
	res.Body = &limited{ReadCloser: res.Body, left: maxBody}
	return res, nil
}

// JSON posts a body (nil: gets) and decodes the answer into out.
func (h *HTTP) JSON(ctx context.Context, address string, body, out any, headers map[string]string) error {
	method, reader := http.MethodGet, io.Reader(nil)
	if body != nil {
		encoded, ready := body.([]byte)
		if !ready {
			var err error
			if encoded, err = json.Marshal(body); err != nil {
				return fmt.Errorf("request to %s: %w", Shown(address), err)
			}
		}
		method, reader = http.MethodPost, bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return fmt.Errorf("request to %s: %w", Shown(address), cause(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	res, err := h.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("answer of %s: %w", Shown(address), err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("answer of %s (%s): %w", Shown(address), res.Header.Get("Content-Type"), err)
	}
	return nil
}

// Close lets go of idle connections.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }

// cause is the error inside the library's, which quotes the address.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// limited is a body that fails, rather than ends, when it is too long.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("more than %d bytes: %w", maxBody, errTooLarge)
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
