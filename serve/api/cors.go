package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// What pages of allowed origins may send and read, beside what any may.
const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsAllowed = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Priority, Traceparent, Tracestate, X-Api-Key, X-Request-Id"
	corsExposed = "ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, Traceparent, Upnext-Next-After, X-Request-Id"
)

// cors answers browsers of allowed origins; others get no header and so no
// answer. sendBeacon always claims credentials, though there are none here:
// without a word for them its preflight fails.
func (a *api) cors(c *gin.Context) {
	if len(a.AllowOrigins) == 0 {
		return
	}
	h := c.Writer.Header()
	h.Add("Vary", "Origin") // no cache may show one origin's answer to another
	origin := c.GetHeader("Origin")
	if origin == "" || !slices.Contains(a.AllowOrigins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Timing-Allow-Origin", origin) // Server-Timing in the page's own measures
	if c.Request.Method != http.MethodOptions {
		h.Set("Access-Control-Expose-Headers", corsExposed)
		return
	}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsAllowed)
	h.Set("Access-Control-Max-Age", "7200") // the most that browsers keep
	c.AbortWithStatus(http.StatusNoContent)
}
