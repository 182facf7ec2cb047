package serve

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"upnext"
	"upnext/index"
	"upnext/serve/taste"
)

// viewers holds the events and the folded state of those who were here last,
// bounded in number and bytes. What is not held is read from the stores.
type viewers struct {
	cfg Config

	mu    sync.Mutex
	held  map[viewerKey]*list.Element // of *held
	idle  *list.List                  // the latest used in front
	bytes int64
	read  readings // of those who are held

	answers *lru.Cache[viewerKey, answered] // of the models, lately
}

type viewerKey struct {
	tenant upnext.Tenant
	viewer upnext.ViewerID
}

// held is one viewer. Its lock is held while it is read from the stores, so
// that an event that comes meanwhile is put on top.
type held struct {
	key viewerKey

	mu     latch
	loaded bool
	acts   []heldAct // newest first
	state  *taste.State
	in     string // the collection that the state's interests were made in
	told   upnext.Viewer
	known  bool // whether told is from the store
	toldAt time.Time
	into   upnext.ViewerID // who they are: themselves, or whom they were merged into; see whose
	intoAt time.Time
	region atomic.Pointer[string] // where they asked from last; nil: never, or nobody knew
	stale  error                  // why told could not be read again; nil where it was
	bytes  int64                  // counted in viewers.bytes; under viewers.mu
}

// heldAct is an act and its place in the order of acceptance, which decides
// between two of the same time.
type heldAct struct {
	taste.Act
	seq int64
}

func newViewers(cfg Config) *viewers {
	answers, err := lru.New[viewerKey, answered](answersKept)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &viewers{cfg: cfg, held: map[viewerKey]*list.Element{}, idle: list.New(), read: newReadings(cfg.Settings.ReadingBytes), answers: answers}
}

// known is a viewer as a request sees them.
type known struct {
	state  *taste.State
	acts   []heldAct
	told   upnext.Viewer
	isTold bool
	stale  error // nil: told is what the store says
}

// get returns what is believed of a viewer now. With an error that wraps
// errNoInterests the rest is there: the vectors could not be read.
func (v *viewers) get(ctx context.Context, tn *tenant, id upnext.ViewerID, collection string, idx index.Index) (known, error) {
	if id.ID == "" {
		return known{state: taste.Fold(nil, &tn.shelf, v.cfg.Settings.Taste)}, nil
	}
	h := v.hold(viewerKey{tn.name, id})
	if err := h.mu.lockIn(ctx); err != nil {
		return known{}, fmt.Errorf("read the viewer: %w", err)
	}
	defer h.mu.Unlock()
	if err := v.load(ctx, h); err != nil {
		return known{}, err
	}
	err := v.fold(ctx, tn, h, collection, idx)
	return known{state: h.state, acts: h.acts, told: h.told, isTold: h.known, stale: h.stale}, err
}

// hold returns the viewer's place in memory, empty or not, and makes room.
func (v *viewers) hold(key viewerKey) *held {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e, ok := v.held[key]; ok {
		v.idle.MoveToFront(e)
		return e.Value.(*held)
	}
	h := &held{key: key, mu: make(latch, 1)}
	v.held[key] = v.idle.PushFront(h)
	v.evict()
	return h
}

// evict drops the idle until the bounds hold; the one in use stays.
func (v *viewers) evict() {
	for v.idle.Len() > 1 && (v.idle.Len() > v.cfg.Settings.HeldViewers || v.bytes > v.cfg.Settings.HeldBytes) {
		v.drop(v.idle.Back())
	}
}

func (v *viewers) drop(e *list.Element) {
	h := v.idle.Remove(e).(*held)
	delete(v.held, h.key)
	v.read.take(h.key)
	v.answers.Remove(h.key)
	v.bytes -= h.bytes
	h.bytes = -1 // no longer counted
}

// weigh counts the bytes that a held viewer takes now.
func (v *viewers) weigh(h *held) {
	bytes := int64(512)
	for _, a := range h.acts {
		bytes += int64(a.Bytes()) + 200 // the state's share: signals, seen
	}
	if h.state != nil {
		for _, in := range h.state.Interests {
			bytes += int64(4*len(in.Vector) + 64*len(in.Members))
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.bytes < 0 {
		return
	}
	v.bytes += bytes - h.bytes
	h.bytes = bytes
	v.evict()
}

// forget drops a viewer from memory: the stores have changed.
func (v *viewers) forget(key viewerKey) {
	v.mu.Lock()
	e, ok := v.held[key]
	if ok {
		v.drop(e)
	}
	v.mu.Unlock()
	if ok { // a request that has it in hand shall not go on with what was read before
		h := e.Value.(*held)
		h.mu.Lock()
		h.loaded, h.known, h.toldAt, h.intoAt = false, false, time.Time{}, time.Time{}
		h.mu.Unlock()
	}
}

// forgetAll drops everybody from memory.
func (v *viewers) forgetAll() {
	v.mu.Lock()
	keys := slices.Collect(maps.Keys(v.held))
	v.mu.Unlock()
	for _, key := range keys {
		v.forget(key)
	}
}

// reread makes the next request read the viewer's properties anew.
func (v *viewers) reread(key viewerKey) {
	v.mu.Lock()
	e, ok := v.held[key]
	v.mu.Unlock()
	if ok {
		h := e.Value.(*held)
		h.mu.Lock()
		h.toldAt = time.Time{}
		h.mu.Unlock()
	}
}

// load reads a viewer's properties and events where they are not held.
func (v *viewers) load(ctx context.Context, h *held) error {
	now := v.cfg.Now()
	if h.toldAt.IsZero() || now.Sub(h.toldAt) >= v.cfg.Settings.RereadViewer {
		told, err := v.cfg.Viewers.Viewer(ctx, h.key.tenant, h.key.viewer)
		switch {
		case err == nil, errors.Is(err, upnext.ErrNotFound):
			h.told, h.known, h.toldAt, h.stale = told, err == nil, now, nil
		case h.toldAt.IsZero() || !h.loaded:
			return fmt.Errorf("read the viewer: %w", unavailable(err))
		default: // what they said last holds until the store is back: nobody has said that it changed
			h.stale = fmt.Errorf("properties as of %s: %w", h.toldAt.UTC().Format(time.RFC3339), err)
		}
	}
	if h.loaded {
		return nil
	}
	events, err := v.cfg.Events.ByViewer(ctx, h.key.tenant, h.key.viewer, v.cfg.Settings.Remember)
	if err != nil {
		// Without them nobody knows what the viewer has blocked: no answer.
		return fmt.Errorf("read the viewer's events: %w", unavailable(err))
	}
	h.acts = make([]heldAct, len(events))
	for i, e := range events {
		h.acts[i] = heldAct{taste.ActOf(e), e.Seq}
	}
	slices.SortStableFunc(h.acts, newestAct)
	h.loaded, h.state = true, nil
	v.weigh(h)
	return nil
}

func newestAct(a, b heldAct) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.seq, a.seq))
}

// errNoInterests says that vectors could not be read.
var errNoInterests = errors.New("no interests")

// fold makes the state where there is none that still holds.
func (v *viewers) fold(ctx context.Context, tn *tenant, h *held, collection string, idx index.Index) error {
	if h.state != nil && h.in == collection && h.state.Fresh(&tn.shelf) {
		return nil
	}
	acts := make([]taste.Act, len(h.acts))
	for i, a := range h.acts {
		acts[i] = a.Act
	}
	set := v.cfg.Settings.Taste
	h.state, h.in = taste.Fold(acts, &tn.shelf, set), collection
	heads := h.state.Heads(set)
	if idx == nil || len(heads) == 0 {
		return nil
	}
	ids := make([]upnext.ItemID, len(heads))
	for i, sig := range heads {
		ids[i] = sig.Item.Item.ID
	}
	vectors, err := idx.Vectors(ctx, ids...)
	if err != nil {
		h.in = "" // try again with the next request
		return fmt.Errorf("%w: %w", errNoInterests, err)
	}
	h.state.Cluster(vectors, set)
	v.weigh(h)
	return nil
}

// feel puts an event on top of a viewer who is held; of others nothing is to
// be done, because they are read when they come.
func (v *viewers) feel(t upnext.Tenant, e upnext.Event) {
	v.mu.Lock()
	el, ok := v.held[viewerKey{t, e.Viewer}]
	v.mu.Unlock()
	if !ok {
		return
	}
	h := el.Value.(*held)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.loaded || slices.ContainsFunc(h.acts, func(a heldAct) bool { return a.ID == e.ID }) {
		return
	}
	a := heldAct{taste.ActOf(e), e.Seq}
	at, _ := slices.BinarySearchFunc(h.acts, a, newestAct)
	// Requests read the old slice without the lock: a new one takes its place.
	h.acts = slices.Concat(h.acts[:at], []heldAct{a}, h.acts[at:])
	if most := v.cfg.Settings.Remember; len(h.acts) > most {
		h.acts = h.acts[:most]
	}
	h.state = nil
	v.weigh(h)
}

// unavailable marks an error of a store as one that may pass, unless it says
// already what it is.
func unavailable(err error) error {
	for _, known := range []error{upnext.ErrNotFound, upnext.ErrInvalid, upnext.ErrConflict, upnext.ErrUnavailable} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
}
