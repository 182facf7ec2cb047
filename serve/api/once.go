package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
)

const onceHeader = "Idempotency-Key"

// maxReply is the longest reply that is kept, in bytes. Of a longer one only
// that there was one is known.
const maxReply = 1 << 20

// endTime is what the store has to keep a reply; its client waits meanwhile.
const endTime = 5 * time.Second

// keyed says whether a request comes with an idempotency key.
func keyed(c *gin.Context) bool {
	return c.Request.Method == http.MethodPost && c.GetHeader(onceHeader) != ""
}

// streams says whether a body is records line by line: it is worked on while it
// is read, and may have no end.
func streams(c *gin.Context) bool {
	return strings.Contains(c.ContentType(), "ndjson") || strings.Contains(c.ContentType(), "jsonl")
}

// once answers a request with an idempotency key as it was answered the first
// time, within upnext.KeepReply and by whichever replica. Kept is what was done
// (2xx): a refusal has changed nothing, and may be asked for again, mended. The
// reply is kept before it is sent: who has it and asks again gets it again.
func (a *api) once(c *gin.Context) {
	if !keyed(c) || c.FullPath() == "" || c.FullPath() == hookPath {
		return
	}
	claim, p := a.claimOf(c)
	if p != nil {
		a.fail(c, p)
		return
	}
	ctx, t := c.Request.Context(), callerOf(c.Request.Context()).tenant
	reply, claimed, err := a.Recommender.Replies.Claim(ctx, t, claim)
	switch {
	case errors.Is(err, upnext.ErrConflict):
		p = pointed(http.StatusConflict, "header."+onceHeader, "the first request with this key is still being answered")
		p.later = 1
		a.fail(c, p)
	case errors.Is(err, upnext.ErrInvalid):
		a.fail(c, parameter("header."+onceHeader, "this key came with another request; a key is for one request and its repetitions"))
	case err != nil:
		a.fail(c, err)
	case claimed:
		a.answerOnce(c, t, claim)
	case reply.Lost:
		a.fail(c, pointed(http.StatusConflict, "header."+onceHeader,
			fmt.Sprintf("this was done, with the status %d; the answer was longer than %d bytes and was not kept", reply.Status, maxReply)))
	default:
		c.Header("Idempotent-Replayed", "true")
		c.Data(reply.Status, reply.Type, reply.Body)
		c.Abort()
	}
}

// claimOf makes the claim out of all that is asked. Publishable keys sit in web
// pages: their idempotency keys are apart, so that no page reads what an owner
// was answered.
func (a *api) claimOf(c *gin.Context) (upnext.Claim, *Problem) {
	key, r := c.GetHeader(onceHeader), c.Request
	switch {
	case len(key) > upnext.MaxID || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }):
		return upnext.Claim{}, parameter("header."+onceHeader, "want 1 to %d visible ASCII characters, such as a UUID", upnext.MaxID)
	case streams(c):
		return upnext.Claim{}, parameter("header."+onceHeader, "not for bodies of NDJSON: each record has an id and may be sent again")
	case c.GetBool(longBody):
		return upnext.Claim{}, newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("with an %s the body may have %d bytes", onceHeader, maxBefore))
	}
	body, err := io.ReadAll(r.Body) // receive has it in memory
	if err != nil {
		return upnext.Claim{}, newProblem(http.StatusBadRequest, "the body broke off: "+err.Error())
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	hash := sha256.New()
	for _, part := range []string{r.URL.EscapedPath(), r.URL.RawQuery, c.ContentType()} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	hash.Write(body)
	scope := "publishable:"
	if callerOf(r.Context()).secret {
		scope = "secret:"
	}
	return upnext.Claim{Key: scope + key, Digest: hex.EncodeToString(hash.Sum(nil)), At: a.Now().UTC().Truncate(time.Microsecond)}, nil
}

// answerOnce lets the handler answer, and ends the claim whatever becomes of it.
func (a *api) answerOnce(c *gin.Context, t upnext.Tenant, claim upnext.Claim) {
	var viewer upnext.ViewerID
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), viewerKey, &viewer))
	held := &heldWriter{ResponseWriter: c.Writer}
	c.Writer = held
	answered := false
	defer func() {
		c.Writer = held.ResponseWriter // after a panic, too, so that recover can answer
		// Who has gone away may come again: the reply is kept for them.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), endTime)
		defer cancel()
		var err error
		if status := held.Status(); answered && status < http.StatusMultipleChoices {
			err = a.Recommender.Replies.Keep(ctx, t, claim, upnext.Reply{
				Status: status, Type: held.Header().Get("Content-Type"), Body: held.body.Bytes(), Lost: held.long, Viewer: viewer,
			})
		} else {
			err = a.Recommender.Replies.Release(ctx, t, claim)
		}
		if err != nil { // the key is taken until upnext.AbandonClaim
			a.Logger.Error("reply not kept", append(about(ctx), "err", err)...)
		}
		if answered {
			held.release()
		}
	}()
	c.Next()
	answered = true
}

// tellsOf says whom a reply tells of, so that it is erased with them.
func tellsOf(ctx context.Context, viewer upnext.ViewerID) {
	if v, ok := ctx.Value(viewerKey).(*upnext.ViewerID); ok {
		*v = viewer
	}
}

// heldWriter holds a reply back until release, unless it becomes too long: then
// it flows, and is forgotten.
type heldWriter struct {
	gin.ResponseWriter
	body bytes.Buffer
	long bool
}

// Write implements io.Writer.
func (w *heldWriter) Write(p []byte) (int, error) {
	if !w.long && w.body.Len()+len(p) > maxReply {
		if w.long = true; w.body.Len() > 0 {
			if _, err := w.ResponseWriter.Write(w.body.Bytes()); err != nil {
				return 0, err
			}
			w.body = bytes.Buffer{}
		}
	}
	if w.long {
		return w.ResponseWriter.Write(p)
	}
	return w.body.Write(p)
}

// WriteString implements io.StringWriter.
func (w *heldWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// WriteHeaderNow waits as the body does.
func (w *heldWriter) WriteHeaderNow() {
	if w.long {
		w.ResponseWriter.WriteHeaderNow()
	}
}

// Flush implements http.Flusher.
func (w *heldWriter) Flush() {
	if w.long {
		w.ResponseWriter.Flush()
	}
}

// Unwrap lets http.ResponseController find what is below.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// release sends what was held back. A client who has gone is no error: the
// reply is kept for them.
func (w *heldWriter) release() {
	w.ResponseWriter.WriteHeaderNow()
	if w.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.body.Bytes())
	}
}

// onceParam describes the header.
func onceParam() *huma.Param {
	return &huma.Param{
		Name: onceHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "For 24 hours a request with this key and the same body is not done again but answered as the first was (Idempotent-Replayed: true); another body gets 422, and 409 comes while the first is being answered. Only what was done (2xx) is kept.",
	}
}
