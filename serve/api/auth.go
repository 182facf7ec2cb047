package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/oklog/ulid/v2"

	"upnext"
)

// Key is a static key: who holds it may act for one tenant.
type Key struct {
	Secret string
	Tenant upnext.Tenant
	// Publishable keys may only ask for recommendations and send events: they
	// may sit in a web page.
	Publishable bool
}

// ParseKeys reads settings of the form KEY or KEY@TENANT.
func ParseKeys(texts []string, publishable bool) ([]Key, error) {
	var keys []Key
	for i, s := range texts {
		secret, tenant, ok := strings.Cut(strings.TrimSpace(s), "@")
		if !ok {
			tenant = string(upnext.DefaultTenant)
		}
		if len(secret) < 16 || tenant == "" {
			return nil, fmt.Errorf("key %d: want KEY or KEY@TENANT with a KEY of 16 characters or more: %w", i+1, upnext.ErrInvalid)
		}
		keys = append(keys, Key{secret, upnext.Tenant(tenant), publishable})
	}
	return keys, nil
}

// caller is who asks, as the middleware found out.
type caller struct {
	tenant upnext.Tenant
	secret bool // may do everything
	key    int  // its place among Config.Keys from 1; 0: none was needed
}

type contextKey int

const (
	callerKey contextKey = iota
	requestIDKey
	pathKey
	traceKey
	viewerKey
)

func callerOf(ctx context.Context) caller {
	c, ok := ctx.Value(callerKey).(caller)
	if !ok {
		panic("api: a route without the identify middleware") // a mistake in New, seen by any test of the route
	}
	return c
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

func pathOf(ctx context.Context) string {
	path, _ := ctx.Value(pathKey).(string)
	return path
}

// publishableRoutes are what a publishable key may call.
var publishableRoutes = []string{"POST /v1/recommend", "POST /v1/recommend/next", "POST /v1/pages", "POST /v1/similar", "POST /v1/rank", "POST /v1/search", "POST /v1/events"}

// identify gives each request an id and finds its caller. Without any keys
// everybody is the default tenant's owner: the settings then allow loopback
// addresses only, and browsers' requests from other sites are refused.
func (a *api) identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if len(id) == 0 || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r < '!' || r > '~' }) {
		id = ulid.Make().String()
	}
	c.Header("X-Request-Id", id)
	ctx := context.WithValue(context.WithValue(c.Request.Context(), requestIDKey, id), pathKey, c.Request.URL.Path)
	if trace, ok := traceOf(c.GetHeader("Traceparent")); ok {
		c.Header("Traceparent", c.GetHeader("Traceparent"))
		ctx = context.WithValue(ctx, traceKey, trace)
	}
	c.Request = c.Request.WithContext(ctx)
	who, p := a.who(c.Request, takeKey(c.Request))
	if p != nil {
		a.fail(c, p)
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(ctx, callerKey, who))
}

// who finds the caller; inURL is the key that a beacon sent.
func (a *api) who(r *http.Request, inURL string) (caller, *Problem) {
	if r.URL.Path == hookPath {
		return caller{}, nil // no tenant's: postHook looks at its own token
	}
	if len(a.Keys) == 0 {
		if err := a.crossOrigin.Check(r); err != nil {
			return caller{}, newProblem(http.StatusForbidden, "a page of another site may not call a server without keys")
		}
		// A name that somebody else's DNS points here is another site, too.
		if !loopback(r.Host) {
			return caller{}, newProblem(http.StatusForbidden, "a server without keys answers to localhost and loopback addresses only, not to "+strconv.Quote(r.Host))
		}
		return caller{upnext.DefaultTenant, true, 0}, nil
	}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && !strings.HasPrefix(r.URL.Path, "/v1/") {
		return caller{upnext.DefaultTenant, false, 0}, nil // pages, pictures, health
	}
	given := r.Header.Get("X-Api-Key")
	if scheme, bearer, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(bearer)
	}
	beacon := given == ""
	if beacon {
		given = inURL
	}
	if given == "" {
		return caller{}, newProblem(http.StatusUnauthorized, "no key: send Authorization: Bearer KEY, or X-Api-Key")
	}
	// Every key is compared, by hash, so that time tells nothing.
	sum, found := sha256.Sum256([]byte(given)), -1
	for i, k := range a.Keys {
		want := sha256.Sum256([]byte(k.Secret))
		if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return caller{}, newProblem(http.StatusUnauthorized, "this key is not known")
	}
	k := a.Keys[found]
	if beacon && !k.Publishable {
		return caller{}, newProblem(http.StatusForbidden, "a secret key may not be sent in a URL, where logs keep it: change it, and send Authorization: Bearer KEY")
	}
	if k.Publishable && !slices.Contains(publishableRoutes, r.Method+" "+r.URL.Path) {
		return caller{}, newProblem(http.StatusForbidden, "a publishable key may call "+strings.Join(publishableRoutes, ", "))
	}
	return caller{k.Tenant, !k.Publishable, found + 1}, nil
}

// loopback says whether a Host header names this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// plain refuses bodies that are packed: none is unpacked here.
func (a *api) plain(c *gin.Context) {
	if coding := c.GetHeader("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		a.fail(c, newProblem(http.StatusUnsupportedMediaType, "Content-Encoding "+coding+": bodies are taken as they are only"))
	}
}

func newProblem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: codeOf(status)}
}
