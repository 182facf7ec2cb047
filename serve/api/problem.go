package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
	"upnext/serve"
)

// Problem is the body of every error: RFC 9457 with a code to branch on, the
// request's id for the log, and what is wrong where.
type Problem struct {
	Type      string         `json:"type" doc:"Always about:blank: the code tells kinds apart."`
	Title     string         `json:"title" doc:"The status in words."`
	Status    int            `json:"status" doc:"The HTTP status."`
	Detail    string         `json:"detail,omitempty" doc:"What is wrong, with what, where."`
	Instance  string         `json:"instance,omitempty" doc:"The path that was asked."`
	Code      string         `json:"code" doc:"not_found, gone, invalid, conflict, unavailable, overloaded, rate_limited, too_large, too_slow, unauthorized, forbidden or internal."`
	RequestID string         `json:"request_id,omitempty" doc:"As in the X-Request-Id header."`
	Errors    []ProblemError `json:"errors,omitempty" doc:"Each thing that is wrong with the body or a parameter."`

	later int // seconds after which to ask again; 0: one, where the status is 503
}

// ProblemError is one thing that is wrong, at one place.
type ProblemError struct {
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) into the body, empty for all of it; or the parameter: query.limit, path.id, header.If-Match. In bulk it points into the array, or into the line."`
	Code    string `json:"code" doc:"What kind of wrong."`
	Detail  string `json:"detail" doc:"In words."`
	Column  int    `json:"column,omitempty" doc:"Where in a filter expression, from 1."`
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is asked by huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is asked by huma: Retry-After where asking again may help.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch {
	case p.later > 0:
		h.Set("Retry-After", strconv.Itoa(p.later))
	case p.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	return h
}

// ContentType is asked by huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// hookProblems makes huma speak Problem, and say that what is a list is one, also
// when it is empty. Huma has these once for the process, and they are the same
// whoever sets them.
var hookProblems = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: msg, Code: codeOf(status)}
		for _, err := range errs {
			var detail *huma.ErrorDetail
			if errors.As(err, &detail) {
				p.Errors = append(p.Errors, ProblemError{pointer(detail.Location), "invalid", detail.Message, 0})
			} else if err != nil {
				p.Errors = append(p.Errors, ProblemError{"", "invalid", err.Error(), 0})
			}
		}
		if len(p.Errors) > 0 {
			p.Detail = strings.TrimPrefix(p.Errors[0].Pointer+": ", ": ") + p.Errors[0].Detail
		}
		if ctx != nil {
			p.Instance, p.RequestID = ctx.URL().Path, requestID(ctx.Context())
		}
		return p
	}
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return huma.NewErrorWithContext(nil, status, msg, errs...)
	}
})

// pointer turns huma's "body.items[3].kind" into "/items/3/kind".
func pointer(location string) string {
	rest, ok := strings.CutPrefix(location, "body")
	if !ok {
		return location
	}
	rest = strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest)
	return rest
}

// problemOf is the one function that knows how our errors look over HTTP.
func problemOf(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	status := http.StatusInternalServerError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, serve.ErrExpired):
		status = http.StatusGone
	case errors.Is(err, upnext.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, upnext.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, upnext.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, upnext.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		status = http.StatusServiceUnavailable
	}
	p = &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error(), Code: codeOf(status), RequestID: requestID(ctx)}
	if status == http.StatusUnprocessableEntity {
		p.Errors = []ProblemError{locate(err)}
	}
	return p
}

func codeOf(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "not_found"
	case http.StatusGone:
		return "gone"
	case http.StatusConflict, http.StatusPreconditionFailed:
		return "conflict"
	case http.StatusServiceUnavailable:
		return "unavailable"
	case http.StatusTooManyRequests:
		return "rate_limited"
	case http.StatusRequestTimeout:
		return "too_slow"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusInternalServerError:
		return "internal"
	}
	return "invalid"
}

// fail answers a raw route with an error. What is not the caller's fault is
// logged in full and told in one word.
func (a *api) fail(c *gin.Context, err error) {
	p := a.problem(c.Request.Context(), err)
	p.Instance = c.Request.URL.Path
	body, _ := json.Marshal(p) // plain strings and numbers: cannot fail
	maps.Copy(c.Writer.Header(), p.GetHeaders())
	c.Data(p.Status, "application/problem+json", body)
	c.Abort()
}

// problem is problemOf with internal errors logged and hidden.
func (a *api) problem(ctx context.Context, err error) *Problem {
	p := problemOf(ctx, err)
	if p.RequestID == "" {
		p.RequestID = requestID(ctx)
	}
	if p.Status == http.StatusServiceUnavailable && ctx.Err() == nil {
		// A full disk must be seen, and must not be filled by saying so.
		if now := a.Now().Unix(); a.warned.Swap(now) != now {
			a.Logger.Warn("cannot serve", append(about(ctx), "err", err)...)
		}
	}
	if p.Status == http.StatusInternalServerError {
		a.Logger.Error("request failed", append(about(ctx), "err", err)...)
		p.Detail = "something went wrong here; the log has it under this request_id"
	}
	return p
}
