package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"upnext"
)

// run is an import that has not ended, in this process.
type run struct {
	key    runKey
	ctx    context.Context // ends with the import
	cancel context.CancelFunc

	opening sync.Mutex
	source  *source
	users   int  // of the source; it closes when the last has let go after the end
	over    bool // the import has ended: nothing opens it any more

	mu       sync.Mutex
	imp      upnext.Import
	done     map[int]string // digest of the batches that are done, by number
	working  map[int]bool
	batches  int // how many there are; -1 until all are listed
	ending   bool
	saved    time.Time
	troubles int   // since a batch was done last
	letters  int64 // dead letters written by this process
}

// errEnded says that an import has ended: its jobs have nothing to do.
var errEnded = errors.New("the import has ended")

// outcome is what a batch did, kept as an object until its import ends. It
// marks the batch as done, whatever becomes of its job, and counts it once.
type outcome struct {
	Digest                              string
	Created, Updated, Unchanged, Failed int64
	Causes                              map[string]int64
	Stages                              []upnext.Stage
	IDs                                 []upnext.ItemID // that the source has
	Unknown                             bool            // something failed whose id is not known
}

func (k runKey) prefix() string { return prefixOf(k.tenant) + "imports/" + string(k.id) + "/" }

func (k runKey) batch(n int) string { return fmt.Sprintf("%sbatch/%09d.json", k.prefix(), n) }

func (k runKey) listing() string { return k.prefix() + "listed.json" }

// open returns the run of an import, from what a former process kept of it
// where it is new to this one; errEnded for one that has ended.
func (im *Importer) open(ctx context.Context, t upnext.Tenant, id upnext.ImportID) (*run, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	key := runKey{t, id}
	if r, ok := im.runs[key]; ok {
		return r, nil
	}
	imp, err := im.Imports.Import(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if ended(imp.State) {
		return nil, errEnded
	}
	r := &run{key: key, imp: imp, done: map[int]string{}, working: map[int]bool{}, batches: -1}
	im.resume(r)
	for n, o := range im.outcomes(ctx, r.key, &err) {
		r.count(n, o)
	}
	if err == nil {
		err = im.restoreListing(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	im.runs[key] = r
	return r, nil
}

// resume sets to zero what the kept outcomes are counted into again.
func (im *Importer) resume(r *run) {
	imp := &r.imp
	imp.Created, imp.Updated, imp.Unchanged, imp.Failed = 0, 0, 0, 0
	imp.Causes, imp.Stages = map[string]int64{}, nil
	if imp.State = upnext.Running; imp.StartedAt.IsZero() {
		imp.StartedAt = im.Pipeline.Now()
	}
}

// listing is kept when the whole source was listed.
type listing struct {
	Batches int
	Total   int64
	Busy    time.Duration
}

func (im *Importer) restoreListing(ctx context.Context, r *run) error {
	var l listing
	found, err := im.load(ctx, r.key.listing(), &l)
	if found {
		r.listed(l)
	}
	return err
}

func (r *run) listed(l listing) {
	r.batches, r.imp.Total = l.Batches, l.Total
	r.stage(upnext.Stage{Name: "listed", Done: l.Total, Busy: l.Busy})
}

// outcomes yields the kept outcomes by number; *failed is set where one cannot be read.
func (im *Importer) outcomes(ctx context.Context, k runKey, failed *error) func(yield func(int, outcome) bool) {
	return func(yield func(int, outcome) bool) {
		for info, err := range im.Pipeline.Blobs.List(ctx, k.prefix()+"batch/", "") {
			var n int
			var o outcome
			if err == nil {
				_, err = im.load(ctx, info.Key, &o)
			}
			if err == nil {
				_, err = fmt.Sscanf(strings.TrimPrefix(info.Key, k.prefix()), "batch/%d.json", &n)
			}
			if err != nil {
				*failed = err
				return
			}
			if !yield(n, o) {
				return
			}
		}
	}
}

// count adds a batch to the import. r.mu is held.
func (r *run) count(n int, o outcome) {
	r.imp.Error, r.troubles = "", 0 // it goes on
	r.done[n] = o.Digest
	imp := &r.imp
	imp.Created, imp.Updated, imp.Unchanged = imp.Created+o.Created, imp.Updated+o.Updated, imp.Unchanged+o.Unchanged
	imp.Failed += o.Failed
	for cause, n := range o.Causes {
		imp.Causes[cause] += n
	}
	for _, s := range o.Stages {
		r.stage(s)
	}
}

// importStages are the stages of an import, in their order.
var importStages = []string{"listed", "read", "catalogued", "embedded", "understood", "indexed", "events"}

// stage adds to one stage of the import. r.mu is held.
func (r *run) stage(s upnext.Stage) {
	i := slices.IndexFunc(r.imp.Stages, func(x upnext.Stage) bool { return x.Name == s.Name })
	if i < 0 {
		r.imp.Stages = append(r.imp.Stages, upnext.Stage{Name: s.Name})
		slices.SortFunc(r.imp.Stages, func(a, b upnext.Stage) int {
			return slices.Index(importStages, a.Name) - slices.Index(importStages, b.Name)
		})
		i = slices.IndexFunc(r.imp.Stages, func(x upnext.Stage) bool { return x.Name == s.Name })
	}
	to := &r.imp.Stages[i]
	to.Done, to.Failed, to.Busy = to.Done+s.Done, to.Failed+s.Failed, to.Busy+s.Busy
}

// complete says whether every batch is done. r.mu is held.
func (r *run) complete() bool { return r.batches >= 0 && len(r.done) >= r.batches }

// saveEvery is how often progress is written while nothing else happens.
const saveEvery = 300 * time.Millisecond

// save writes the import as it stands, unless it was just written or has ended.
func (im *Importer) save(ctx context.Context, r *run, now bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !now && time.Since(r.saved) < saveEvery || ended(r.imp.State) {
		return nil
	}
	r.saved = time.Now()
	if err := im.Imports.SaveImport(ctx, r.key.tenant, r.snapshot()); err != nil {
		return fmt.Errorf("save import: %w", err)
	}
	im.announce()
	return nil
}

// snapshot is the import as a value of its own. r.mu is held.
func (r *run) snapshot() upnext.Import {
	imp := r.imp
	imp.Stages, imp.Causes = slices.Clone(imp.Stages), maps.Clone(imp.Causes)
	return imp
}

// announce wakes those who wait for a change.
func (im *Importer) announce() {
	im.mu.Lock()
	defer im.mu.Unlock()
	close(im.changed)
	im.changed = make(chan struct{})
}

// end ends an import once; cause says why it is Broken.
func (im *Importer) end(ctx context.Context, r *run, state upnext.ImportState, cause error) error {
	// Whoever cancelled the job that found the import's end still wants it known.
	ctx = context.WithoutCancel(ctx)
	r.mu.Lock()
	if ended(r.imp.State) {
		r.mu.Unlock()
		return nil
	}
	imp := r.snapshot()
	imp.State, imp.EndedAt = state, im.Pipeline.Now()
	if cause != nil {
		imp.Error = cause.Error()
	}
	err := im.Imports.SaveImport(ctx, r.key.tenant, imp)
	if err == nil {
		r.imp.State, r.imp.EndedAt, r.imp.Error = imp.State, imp.EndedAt, imp.Error
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	r.cancel()
	r.closeSource()
	im.Pipeline.Logger.Info("import ended", "import", r.key.id, "source", imp.Source, "state", state, "items", imp.Total,
		"created", imp.Created, "updated", imp.Updated, "unchanged", imp.Unchanged, "failed", imp.Failed, "error", imp.Error)
	im.forget(ctx, r.key)
	im.mu.Lock()
	delete(im.runs, r.key)
	im.mu.Unlock()
	im.announce()
	return nil
}

// forget removes what was kept of an import for the case of a crash.
func (im *Importer) forget(ctx context.Context, k runKey) {
	for info, err := range im.Pipeline.Blobs.List(ctx, k.prefix(), "") {
		if err == nil {
			err = im.Pipeline.Blobs.Delete(ctx, info.Key)
		}
		if err != nil {
			im.Pipeline.Logger.Warn("an ended import's records stay", "import", k.id, "error", err)
			return
		}
	}
}

// use opens the import's source, once, and keeps it open until done is called
// by all who use it and the import has ended.
func (r *run) use(ctx context.Context, im *Importer) (s *source, done func(), err error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.over {
		return nil, nil, errEnded
	}
	if r.source == nil {
		if r.source, err = im.openSource(ctx, r.key.tenant, r.imp.Source, r.imp.Format); err != nil {
			return nil, nil, err
		}
	}
	r.users++
	return r.source, r.release, nil
}

func (r *run) release() {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.users--; r.users == 0 && r.over {
		_ = r.source.close() // a folder that was only read
		r.source = nil
	}
}

func (r *run) closeSource() {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.over = true; r.users == 0 && r.source != nil {
		_ = r.source.close() // a folder that was only read
		r.source = nil
	}
}

// keep writes a small object of an import.
func (im *Importer) keep(ctx context.Context, key string, v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = im.Pipeline.Blobs.Put(ctx, key, bytes.NewReader(data))
	}
	return err
}

// load reads what keep wrote, and says whether it is there.
func (im *Importer) load(ctx context.Context, key string, v any) (bool, error) {
	r, _, err := im.Pipeline.Blobs.Open(ctx, key, 0)
	if errors.Is(err, upnext.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := io.ReadAll(r)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", key, err)
	}
	return true, nil
}
