package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// send gives a client sendTime for each piece of an answer: an export may take
// as long as it likes, but who stops reading is cut off.
func (a *api) send(c *gin.Context) {
	c.Writer = &slowWriter{c.Writer, http.NewResponseController(c.Writer)}
}

// slowWriter sets the clock anew at each write.
type slowWriter struct {
	gin.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (w *slowWriter) Write(p []byte) (int, error) {
	w.again()
	return w.ResponseWriter.Write(p)
}

// WriteString implements io.StringWriter.
func (w *slowWriter) WriteString(s string) (int, error) {
	w.again()
	return w.ResponseWriter.WriteString(s)
}

// Flush implements http.Flusher.
func (w *slowWriter) Flush() {
	w.again()
	w.ResponseWriter.Flush()
}

// Unwrap lets http.ResponseController find what is below.
func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *slowWriter) again() {
	_ = w.control.SetWriteDeadline(time.Now().Add(sendTime)) // a writer that cannot has no slow clients
}
