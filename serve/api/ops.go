package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"upnext"
	"upnext/infra/blob"
)

// healthz says that the process lives.
func (a *api) healthz(c *gin.Context) { c.String(http.StatusOK, "ok\n") }

// observe measures each request by its route's pattern.
func (a *api) observe(c *gin.Context) {
	start := time.Now()
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	a.requests.WithLabelValues(c.Request.Method, route, strconv.Itoa(c.Writer.Status())).Observe(time.Since(start).Seconds())
}

// recover turns a panic into a 500 of that one request.
func (a *api) recover(c *gin.Context) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			a.Logger.Error("handler panicked", append(about(c.Request.Context()), "route", c.FullPath(), "panic", v, "stack", string(debug.Stack()))...)
			if !c.Writer.Written() {
				a.fail(c, fmt.Errorf("panic: %v", v))
			}
			c.Abort()
		}
	}()
	c.Next()
}

// pictures are what media shows, by extension.
var pictures = map[string]string{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

// How long a signed URL of a picture holds, and for how long the way there is
// remembered: what is remembered holds for a while yet.
const (
	signedFor     = 15 * time.Minute
	redirectedFor = 5 * time.Minute
)

// media shows pictures of the object store, which need no key: a page's <img>
// can send none. Nothing that is not named as a picture is shown, and whatever
// its bytes are, a browser takes them for one. Where browsers reach the object
// store, they are sent there.
func (a *api) media(c *gin.Context) {
	key := strings.TrimPrefix(c.Param("key"), "/")
	kind := pictures[strings.ToLower(path.Ext(key))]
	if kind == "" {
		a.fail(c, newProblem(http.StatusNotFound, "no such picture"))
		return
	}
	if s, ok := a.Blobs.(blob.Signer); ok {
		to, err := s.SignedURL(c.Request.Context(), key, signedFor)
		if errors.Is(err, upnext.ErrInvalid) {
			err = newProblem(http.StatusNotFound, "no such picture")
		}
		if err != nil {
			a.fail(c, err)
			return
		}
		if to != "" {
			c.Header("Cache-Control", fmt.Sprintf("private, max-age=%d", int(redirectedFor.Seconds())))
			c.Redirect(http.StatusTemporaryRedirect, to)
			return
		}
	}
	r, info, err := a.Blobs.Open(c.Request.Context(), key, 0)
	if errors.Is(err, upnext.ErrInvalid) {
		err = newProblem(http.StatusNotFound, "no such picture")
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	defer r.Close()
	h := c.Writer.Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", strconv.Quote(info.ETag))
	h.Set("X-Content-Type-Options", "nosniff")
	if c.GetHeader("If-None-Match") == h.Get("ETag") {
		c.Status(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.FormatInt(info.Size, 10))
	c.Status(http.StatusOK)
	_, _ = io.Copy(c.Writer, r) // a viewer who leaves early is no error
}

// pages serves the console at / and below, with its own security policy.
func (a *api) pages(engine *gin.Engine) {
	files := http.FileServerFS(a.Pages)
	images := "'self' data: https:"
	if s, ok := a.Blobs.(blob.Signer); ok && strings.HasPrefix(s.SignedOrigin(), "http:") {
		images += " " + s.SignedOrigin()
	}
	serve := func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src "+images+"; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		if c.Request.URL.Path == "/docs" {
			c.Request.URL.Path = "/docs.html"
		}
		files.ServeHTTP(c.Writer, c.Request)
	}
	engine.GET("/", serve)
	engine.GET("/docs", serve)
	entries, err := fs.ReadDir(a.Pages, ".")
	if err != nil {
		a.Logger.Error("console cannot be read", "err", err)
		return
	}
	for _, e := range entries {
		switch {
		case e.IsDir():
			engine.GET("/"+e.Name()+"/*file", serve)
		case e.Name() != "index.html":
			engine.GET("/"+e.Name(), serve)
		}
	}
}
