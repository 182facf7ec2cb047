// Package serve answers requests: it finds candidates in several sources,
// blends and ranks them, arranges a page, guards it and says why. Everything
// is computed in the request, so that an event is felt in the next answer.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/index"
	"upnext/serve/credit"
	"upnext/serve/source"
)

// Config is what a Recommender works with. All stores are needed; see the
// comments for what may be missing.
type Config struct {
	Catalog     upnext.Catalog
	Events      upnext.Events
	Viewers     upnext.Viewers
	Merges      upnext.Merges
	Beats       upnext.Beats
	Slates      upnext.Slates
	Cursors     upnext.Cursors
	Replies     upnext.Replies // kept by who answers over HTTP, pruned and erased here
	Schemas     upnext.Schemas
	Collections index.Collections

	// Query makes the vector with which a text is searched for in a collection,
	// by the encoders that filled it (embed.Kept); a nil vector says that there
	// is nothing to read in the text. Nil: searches go by words alone.
	Query func(ctx context.Context, collection, text string) ([]float32, error)

	// Measures keep which answers events are about, and counts of that; Showings
	// find the answers. nil: nothing is attributed. Locks keep several processes
	// from doing it at once in vain; nil: this is the only one.
	Measures upnext.Measures
	Showings upnext.Showings
	Locks    upnext.Locks

	Logger   *slog.Logger          // nil: silent
	Now      func() time.Time      // nil: time.Now
	Seed     uint64                // of what is left to chance
	TokenKey []byte                // signs tokens; nil: a random one, so that tokens die with the process
	Settings Settings              // start from DefaultSettings
	Metrics  prometheus.Registerer // nil: nothing is registered
	Tenants  []upnext.Tenant       // loaded by Run before the first request; nil: DefaultTenant

	// Archive is told what must go from it: after the stores have let go of it,
	// so that an erasure that failed half way is completed by asking again. nil:
	// nothing is archived.
	Archive Archive

	// Checkpoints spare a start reading all items and counting all events; nil: it
	// does. Withdrawals are needed with them.
	Checkpoints Checkpoints
	Withdrawals upnext.Withdrawals

	// Sources replace those of a page, of similar items and of a search where
	// they are not nil.
	Sources *Sources
}

// Archive keeps events and slates beside the stores. What it is asked to drop
// is gone with its next round, also after a crash.
type Archive interface {
	Forget(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) error
	Retract(ctx context.Context, t upnext.Tenant, e upnext.Event) error
}

// Sources are the ways to find candidates, by what is asked for.
type Sources struct {
	Page    []source.Source
	Similar []source.Source
	Search  []source.Source
}

// DefaultSources are all that there are.
func DefaultSources() Sources {
	return Sources{
		Page: []source.Source{
			source.Taste{}, source.Last{}, source.Together{}, source.Learned{}, source.Followed{},
			source.Session{}, source.Searched{}, source.Friends{}, source.Continue{}, source.Episode{}, source.Live{},
			source.Trending{}, source.Popular{}, source.Fresh{}, source.Explore{},
		},
		Similar: []source.Source{source.Similar{}, source.Together{}, source.Words{}},
		Search:  []source.Source{source.Words{}, source.Meaning{}},
	}
}

// Recommender answers requests and takes in events. It is safe for concurrent
// use.
type Recommender struct {
	Config
	sources Sources
	meters  meters
	viewers *viewers
	slates  *slateQueue
	engines *engines
	queries *lru.Cache[queryKey, []float32]
	seldom  seldom // of what fails again and again
	credit  *credit.Attributor
	version string // of the settings

	mu      sync.Mutex
	tenants map[upnext.Tenant]*tenant
	stale   map[viewerKey]bool // viewers whom another process has changed, since the last look
	missed  bool               // any viewer may be stale
	wake    chan struct{}      // events were appended: look at the tail
	ready   chan struct{}      // closed once Run has loaded the tenants
}

// New returns a Recommender that has loaded nothing yet: see Run.
func New(cfg Config) *Recommender {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if len(cfg.TokenKey) == 0 {
		cfg.TokenKey = randomKey()
	}
	if len(cfg.Tenants) == 0 {
		cfg.Tenants = []upnext.Tenant{upnext.DefaultTenant}
	}
	sources := DefaultSources()
	if cfg.Sources != nil {
		sources = *cfg.Sources
	}
	r := &Recommender{
		Config: cfg, sources: sources, version: cfg.Settings.version(),
		tenants: map[upnext.Tenant]*tenant{}, wake: make(chan struct{}, 1), ready: make(chan struct{}),
		stale: map[viewerKey]bool{},
	}
	r.queries = newQueries()
	r.engines = newEngines(cfg.Settings, cfg.Metrics)
	r.Viewers = patientViewers{cfg.Viewers, r.engines.viewers, cfg.Settings.AppendDeadline}
	r.Merges = patientMerges{cfg.Merges, r.engines.viewers, cfg.Settings.AppendDeadline}
	r.Events = patientEvents{cfg.Events, r.engines.viewers, r.engines.events}
	r.viewers = newViewers(r.Config)
	r.slates = newSlateQueue(cfg.Settings.SlateQueue, cfg.Settings.TraceQueue)
	r.meters = newMeters(cfg.Metrics, r)
	r.credit = newCredit(r)
	return r
}

// Recommend answers one request: a page for the viewer, items like others
// (req.Like, ErrNotFound where one is not in the catalogue) or a search
// (req.Query). Nothing that fails the guard is in the answer; see rule.Guard.
//
// Exclude.Seen defaults to SeenAll, and to SeenNone for a search: who looks
// for something may have seen it. A part that failed or was late is named in
// Degraded; ErrUnavailable is returned where nothing can be served.
func (r *Recommender) Recommend(ctx context.Context, t upnext.Tenant, req upnext.Request) (upnext.Slate, error) {
	q, slate, err := r.answer(ctx, t, req, nil)
	if err != nil {
		return upnext.Slate{}, err
	}
	if req.Unrecorded {
		return slate, nil
	}
	request, err := encodeRequest(req)
	if err != nil {
		q.degrade("cursor", err)
		slate.Degraded = q.degraded
	} else {
		r.offer(ctx, q, req, request, &slate)
		remember(&slate, request)
	}
	r.keep(q, slate)
	return slate, nil
}

// answer makes the answer to one request out of what was not returned before.
func (r *Recommender) answer(ctx context.Context, t upnext.Tenant, req upnext.Request, returned map[upnext.ItemID]bool) (*asked, upnext.Slate, error) {
	fail := func(err error) (*asked, upnext.Slate, error) {
		return nil, upnext.Slate{}, fmt.Errorf("recommend%s: %w", to(req.Viewer), err)
	}
	q, err := r.begin(ctx, t, req, returned)
	if err != nil {
		return fail(err)
	}
	ctx, cancel := q.within(ctx)
	defer cancel()
	defer q.release()
	recalled := r.recall(ctx, q)
	ranked := r.blend(ctx, q, recalled)
	placed := r.rerank(ctx, q, ranked)
	slate := r.explain(ctx, q, placed, ranked)
	if len(slate.Items) == 0 {
		if err := unserved(slate.Degraded); err != nil {
			return fail(err)
		}
	}
	return q, slate, nil
}

// unserved is why there is nothing in an answer, where it went without a part; nil
// where there is nothing to show.
func unserved(degraded []upnext.Degraded) error {
	for _, d := range degraded {
		return fmt.Errorf("%s: %s: %w", d.Stage, d.Reason, upnext.ErrUnavailable)
	}
	return nil
}

// to names the viewer in errors; some requests have none.
func to(v upnext.ViewerID) string {
	if v.ID == "" {
		return ""
	}
	return " to " + v.String()
}
