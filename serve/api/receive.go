package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// How long clients may take. A body that is read whole has bodyTime, all of
// it; one that flows may keep us waiting for slack and a second a slowest bytes.
const (
	bodyTime = 30 * time.Second
	slack    = time.Minute
	slowest  = 1 << 10
	sendTime = 30 * time.Second // for each piece of an answer
)

// maxBefore is how much of a bulk body is read before it is let in: a body that
// fits is whole then, and its client can hold nothing up.
const maxBefore = 1 << 20

// longBody marks a request whose body flows on while it is worked on.
const longBody = "upnext.long"

// The routes whose bodies may be of any length. Of items, a client may want to
// hear of the first before it sends the second.
const (
	bulkItems  = "POST /v1/items"
	bulkEvents = "POST /v1/events"
)

// receive reads the body before anything is done for it: at once where it has
// an end in sight, with a clock on those that flow. What all bodies together
// take in memory is bounded.
func (a *api) receive(c *gin.Context) {
	control := http.NewResponseController(c.Writer)
	defer a.bodies.release(c)
	route := c.Request.Method + " " + c.FullPath()
	r := c.Request
	flowing := &slowBody{ReadCloser: r.Body, deadline: control.SetReadDeadline}
	switch {
	case r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody || c.FullPath() == "":
		_ = control.SetReadDeadline(time.Time{}) // what waits for the client's leaving must not time out
		c.Next()
		return
	case route == bulkItems && (!keyed(c) || streams(c)) || c.FullPath() == hookPath: // the hook's token comes before its body
		r.Body = flowing
		c.Next()
		return
	}
	most := int64(maxBody)
	if route == bulkEvents {
		most = maxBefore
	} else if r.ContentLength > most {
		a.fail(c, tooLarge())
		return
	}
	_ = control.SetReadDeadline(time.Now().Add(bodyTime)) // a writer that cannot has no slow clients
	body, whole, err := a.bodies.read(c, r.Body, most)
	switch {
	case err != nil:
		a.fail(c, err)
		return
	case !whole && route != bulkEvents:
		a.fail(c, tooLarge())
		return
	case !whole:
		c.Set(longBody, true)
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), flowing), r.Body}
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		if route != bulkEvents && route != bulkItems { // their records are looked at one by one
			if err := wellFormed(body); err != nil {
				a.fail(c, err)
				return
			}
		}
	}
	_ = control.SetReadDeadline(time.Time{})
	c.Next()
}

func tooLarge() *Problem {
	return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", int64(maxBody)))
}

// bodies counts the bytes that received bodies take.
type bodies struct {
	most int64
	held atomic.Int64
}

const heldBody = "upnext.body" // how many bytes a request's body takes

// read takes up to most bytes; whole says that the body ended there. Its buffer
// grows as bytes come, so that who claims much holds what they sent.
func (b *bodies) read(c *gin.Context, body io.Reader, most int64) (data []byte, whole bool, err error) {
	grow := func(to int64) error {
		if b.held.Add(to-int64(cap(data))) > b.most {
			b.held.Add(int64(cap(data)) - to)
			p := newProblem(http.StatusServiceUnavailable, "bodies of other requests take all the memory that there is for them")
			p.Code, p.later = "overloaded", 2
			return p
		}
		c.Set(heldBody, to)
		data = append(make([]byte, 0, to), data...)
		return nil
	}
	first := int64(4 << 10)
	if n := c.Request.ContentLength; n > 0 {
		first = min(first, n+1)
	}
	if err := grow(first); err != nil {
		return nil, false, err
	}
	for {
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, true, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, false, slowClient()
		case err != nil:
			return nil, false, newProblem(http.StatusBadRequest, "the body broke off: "+err.Error())
		case int64(len(data)) > most:
			return data, false, nil
		}
		if len(data) == cap(data) {
			if err := grow(min(2*int64(cap(data)), most+1)); err != nil {
				return nil, false, err
			}
		}
	}
}

// release gives back what a request's body took.
func (b *bodies) release(c *gin.Context) {
	b.held.Add(-c.GetInt64(heldBody))
	c.Set(heldBody, int64(0))
}

func slowClient() *Problem {
	return newProblem(http.StatusRequestTimeout, "the body came too slowly")
}

// slowBody flows from a client. Only the time that we wait for it counts: who
// is held up by us is not slow.
type slowBody struct {
	io.ReadCloser
	deadline func(time.Time) error
	waited   time.Duration
	got      int64
}

// Read implements io.Reader; a client who is too slow is cut off.
func (s *slowBody) Read(p []byte) (int, error) {
	began := time.Now()
	left := slack + time.Duration(s.got/slowest)*time.Second - s.waited
	_ = s.deadline(began.Add(max(left, 0)))
	n, err := s.ReadCloser.Read(p)
	s.waited += time.Since(began)
	s.got += int64(n)
	_ = s.deadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = slowClient()
	}
	return n, err
}
