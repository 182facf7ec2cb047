// Package api is the HTTP face of upnext: gin's engine, huma's typed handlers
// and OpenAPI. Hot and streaming routes are raw handlers with operations
// declared by hand. Bodies are this package's types; nouns carry no tags.
package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"upnext"
	"upnext/infra/blob"
	"upnext/serve"
	"upnext/serve/door"
)

// Writer takes items in and out: what it returned without an error is
// catalogued and searchable, or gone from everywhere.
type Writer interface {
	Put(ctx context.Context, t upnext.Tenant, items ...upnext.Item) ([]Written, error)
	// PutOnly is Put of one item if it stands at a version, 0 for one that is not there; else ErrConflict.
	PutOnly(ctx context.Context, t upnext.Tenant, it upnext.Item, version int64) (Written, error)
	Delete(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) (int, error)
	// Refresh shows the index's filters what was corrected of items.
	Refresh(ctx context.Context, t upnext.Tenant, ids ...upnext.ItemID) error
}

// Written says what became of one item.
type Written struct {
	ID       upnext.ItemID
	Status   upnext.PutStatus
	Err      error            // why it was not taken; then Status is empty
	Failures []upnext.Failure // parts of a taken item that could not be read: its thumbnail, its transcript
}

// ImportOrder asks for an import.
type ImportOrder struct {
	Source    string
	Format    string
	OnMissing upnext.OnMissing
}

// Importer runs imports.
type Importer interface {
	Start(ctx context.Context, t upnext.Tenant, order ImportOrder) (upnext.Import, error)
	Cancel(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (upnext.Import, error)
}

// Collection says how a collection of the tenant's items stands.
type Collection struct {
	Name, Text, Image, Role string
	Entries                 int
	Promoted                bool
	Tally                   upnext.Tally
	Began, Full             time.Time // of an upgrade
	Texts, Images           int64     // that it has cost
	Endpoint, Remaining     time.Duration
	PerSecond               float64
	Error                   string // why it waits
}

// Collections are those of a tenant: one answers requests, another may be
// filled by other models, to be promoted when it is full.
type Collections interface {
	// List describes all, by name.
	List(ctx context.Context, t upnext.Tenant) ([]Collection, error)
	// Promote makes one the one that answers, at once; ErrConflict for one with
	// items missing, unless forced, and for one that texts cannot be searched in.
	Promote(ctx context.Context, t upnext.Tenant, name string, force bool) error
	// Drop removes one; ErrConflict for the promoted one and for one that is filled.
	Drop(ctx context.Context, t upnext.Tenant, name string) error
}

// Config is what the API speaks for.
type Config struct {
	Recommender    *serve.Recommender
	Writer         Writer
	Importer       Importer
	Watcher        Watcher      // of buckets; nil: nobody watches
	Dependencies   []Dependency // that readyz asks
	HookToken      string       // opens the route of bucket notifications; empty: there is none
	Collections    Collections
	Models         Models
	Catalog        upnext.Catalog
	Indexings      upnext.Indexings
	Understandings upnext.Understandings
	Viewers        upnext.Viewers
	Holdings       upnext.Holdings
	Schemas        upnext.Schemas
	Imports        upnext.Imports
	Blobs          blob.Store // thumbnails; only keys that end like pictures are shown
	Collection     string     // that Indexings are asked about for a tenant that has none promoted
	Pages          fs.FS      // the web console
	Keys           []Key
	Door           door.Settings // zero: door.DefaultSettings
	BodyMemory     int64         // bytes that the bodies of requests under way may take; 0: 256 MiB
	Draining       *atomic.Bool  // true: the server takes no more than it has; nil: never
	AllowOrigins   []string
	Rates          Rates // of each key; zero: no limits
	Metrics        *prometheus.Registry
	Logger         *slog.Logger
	Now            func() time.Time
	Version        string
}

type api struct {
	Config
	huma        huma.API
	crossOrigin *http.CrossOriginProtection
	requests    *prometheus.HistogramVec
	hooked      *prometheus.CounterVec
	warned      atomic.Int64 // when the last 503 was logged, Unix seconds
	door        *door.Door
	allowances  []*allowance // by key; nil: no limit
	bodies      bodies
	readiness   readiness
}

// New returns the handler of every route.
func New(cfg Config) http.Handler {
	hookProblems()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	// Ids hold any characters: %2F in a path stays inside its segment.
	engine.UseRawPath, engine.UnescapePathValues = true, true
	engine.HandleMethodNotAllowed = true
	a := &api{Config: cfg, crossOrigin: http.NewCrossOriginProtection()}
	a.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "upnext_http_request_seconds", Help: "Time to answer by route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
	}, []string{"method", "route", "status"})
	a.hooked = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "upnext_hook_objects_total", Help: "News of objects in buckets, by whether a watched source was concerned.",
	}, []string{"outcome"})
	cfg.Metrics.MustRegister(a.requests, a.hooked)
	a.allowances = allowances(cfg.Keys, cfg.Rates)
	a.openDoor()
	engine.Use(a.observe, a.recover, a.cors, a.identify, a.limit, a.plain, a.send, a.receive, a.admit, a.once)
	engine.NoRoute(func(c *gin.Context) { a.fail(c, newProblem(http.StatusNotFound, "no such route: "+c.Request.URL.Path)) })
	engine.NoMethod(func(c *gin.Context) {
		a.fail(c, newProblem(http.StatusMethodNotAllowed, c.Request.Method+" is not for "+c.Request.URL.Path))
	})

	settings := huma.DefaultConfig("upnext", cfg.Version)
	settings.Info.Description = "Recommendations computed afresh at each request. Ids in paths are percent-encoded."
	settings.DocsPath, settings.SchemasPath = "", ""
	settings.CreateHooks = nil // no $schema fields in answers
	a.huma = humagin.New(engine, settings)
	a.routes(engine)
	return plusInPaths(engine)
}

// plusInPaths keeps the + of a path a +: gin reads escaped paths as if they
// were queries, where a + is a space.
func plusInPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawPath, "+") {
			u := *r.URL
			u.RawPath = strings.ReplaceAll(u.RawPath, "+", "%2B")
			r = r.WithContext(r.Context()) // a copy: the caller's URL stays
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}

// routes is every route of the server, on one screen.
func (a *api) routes(engine *gin.Engine) {
	put(a, "/v1/items/{id}", "items", "Insert or replace an item", a.putItem)
	patch(a, "/v1/items/{id}", "items", "Change an item by a JSON merge patch (RFC 7396)", a.patchItem)
	get(a, "/v1/items/{id}", "items", "Read an item", a.getItem)
	remove(a, "/v1/items/{id}", "items", "Delete an item: gone from every index before the answer", a.deleteItem)
	get(a, "/v1/items", "items", "List items by id", a.listItems)
	post(a, "/v1/items/{id}/heartbeat", "items", http.StatusOK, "A live stream's sign of life: it is shown only while they come", a.heartbeat)
	get(a, "/v1/items/{id}/status", "items", "How far an item has come on its way into the index", a.itemStatus)
	get(a, "/v1/items/{id}/understanding", "items", "What is believed of an item's content", a.getUnderstanding)
	patch(a, "/v1/items/{id}/understanding", "items", "Correct it: a person's value wins and stays", a.patchUnderstanding)
	a.raw(engine, a.bulkItems(), a.postItems)

	post(a, "/v1/imports", "imports", http.StatusAccepted, "Import a prefix, a manifest or a folder", a.startImport)
	get(a, "/v1/imports", "imports", "The latest imports", a.listImports)
	get(a, "/v1/imports/{id}", "imports", "Progress of an import", a.getImport)
	post(a, "/v1/imports/{id}/cancel", "imports", http.StatusOK, "Stop an import; what it has done stays", a.cancelImport)
	get(a, "/v1/imports/{id}/failures", "imports", "What could not be taken, with key and line", a.importFailures)
	a.raw(engine, a.hookOperation(), a.postHook)

	put(a, "/v1/users/{id}", "users", "Insert or replace a user's properties and follows", a.putUser)
	patch(a, "/v1/users/{id}", "users", "Change a user's properties and follows by a merge patch", a.patchUser)
	get(a, "/v1/users/{id}", "users", "Read a user's properties and follows", a.getUser)
	remove(a, "/v1/users/{id}", "users", "Erase a user everywhere", a.eraseUser)
	patch(a, "/v1/users/{id}/profile", "users", "Say what a user does not want, and what is pinned", a.patchProfile)
	post(a, "/v1/users/{id}/merge", "users", http.StatusOK, "Make an anonymous viewer and a user one: what is theirs is the user's, and what they do from now on", a.mergeUser)
	get(a, "/v1/users/{id}/profile", "users", "What the system believes of a user, and from what", a.getProfile)

	a.raw(engine, a.exportUserOperation(), a.exportUser)

	a.raw(engine, a.bulkEvents(), a.postEvents)
	remove(a, "/v1/events/{id}", "events", "Take an event back; sent again under the same id it counts again", a.retractEvent)

	post(a, "/v1/recommend", "recommend", http.StatusOK, "A page of items for a viewer", a.recommend)
	post(a, "/v1/recommend/next", "recommend", http.StatusOK, "More of a recommendation, never an item again", a.next)
	post(a, "/v1/pages", "recommend", http.StatusOK, "Rows of items for a viewer, ordered for them, no item twice", a.page)
	post(a, "/v1/similar", "recommend", http.StatusOK, "Items like some and unlike others", a.similar)
	post(a, "/v1/rank", "recommend", http.StatusOK, "Your own candidates, ranked for a viewer", a.rank)
	post(a, "/v1/search", "recommend", http.StatusOK, "Items for a text", a.search)

	get(a, "/v1/why-not", "explain", "Why an item is not on a page: the stage and the rule that kept it from it, or its rank", a.whyNot)
	get(a, "/v1/recommendations/{id}", "explain", "An answer as it was given, with its trace where it has one", a.recorded)

	get(a, "/v1/collections", "collections", "The collections of vectors: which one answers, and how far an upgrade is", a.listCollections)
	post(a, "/v1/collections/{name}/promote", "collections", http.StatusOK, "Answer from this collection from now on: the end of an upgrade, or the way back", a.promoteCollection)
	remove(a, "/v1/collections/{name}", "collections", "Remove a collection that is neither promoted nor filled", a.dropCollection)

	get(a, "/v1/models", "models", "The bundles of trained models, and which one is in use", a.listModels)
	post(a, "/v1/models/train", "models", http.StatusAccepted, "Train models on the events", a.trainModels)
	get(a, "/v1/models/runs", "models", "The latest trainings", a.listRuns)
	get(a, "/v1/models/runs/{id}", "models", "Progress and curves of a training", a.getRun)
	post(a, "/v1/models/runs/{id}/cancel", "models", http.StatusOK, "End a training", a.cancelRun)
	post(a, "/v1/models/{version}/promote", "models", http.StatusOK, "Answer by this bundle from now on", a.promoteModels)
	post(a, "/v1/models/rollback", "models", http.StatusOK, "Answer by the former bundle again", a.rollbackModels)

	get(a, "/v1/metrics", "metrics", "Clicks, conversions and watch time of what was shown, with intervals", a.getMetrics)

	put(a, "/v1/schema/{kind}", "schema", "Declare the attributes of items or users", a.putSchema)
	get(a, "/v1/schema/{kind}", "schema", "The declared attributes", a.getSchema)

	for _, e := range exports {
		a.raw(engine, a.exportOperation(e.what, e.summary), a.export(e.lines))
	}

	engine.Match([]string{http.MethodGet, http.MethodHead}, "/healthz", a.healthz)
	engine.Match([]string{http.MethodGet, http.MethodHead}, "/readyz", a.readyz)
	engine.GET("/metrics", gin.WrapH(promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{})))
	engine.GET("/media/*key", a.media)
	if a.Pages != nil {
		a.pages(engine)
	}
}
