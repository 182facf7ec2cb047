package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"upnext"
)

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

// listing is kept when the whole source was listed.
type listing struct {
	Batches int
	Total   int64
	Busy    time.Duration
}

// listed notes what the listing found. r.mu is held.
func (r *run) listed(l listing) {
	if r.batches < 0 {
		r.stage(upnext.Stage{Name: "listed", Done: l.Total, Busy: l.Busy})
	}
	r.batches, r.imp.Total = l.Batches, l.Total
}

// catchUp adds what other processes have done to the run. What this one knows
// is not read again, and not even listed below the first batch that is not done.
func (im *Importer) catchUp(ctx context.Context, r *run) error {
	r.mu.Lock()
	for r.done[r.low] != "" {
		r.low++
	}
	low, listed := r.low, r.batches >= 0
	r.mu.Unlock()
	if !listed {
		var l listing
		found, err := im.load(ctx, r.key.listing(), &l)
		if err != nil {
			return err
		}
		if found {
			r.mu.Lock()
			r.listed(l)
			r.mu.Unlock()
		}
	}
	after := ""
	if low > 0 {
		after = r.key.batch(low - 1)
	}
	known := func(n int) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.done[n] != ""
	}
	var err error
	for n, o := range im.outcomes(ctx, r.key, after, known, &err) {
		r.mu.Lock()
		r.count(n, o)
		r.mu.Unlock()
	}
	return err
}

// recount counts the whole import anew from its outcomes: what was done twice,
// or counted of a batch that a later listing has replaced, counts once. seen are
// the items that the source has; unknown says that it may have more of them.
func (im *Importer) recount(ctx context.Context, r *run) (seen map[upnext.ItemID]bool, unknown bool, err error) {
	var l listing
	if _, err := im.load(ctx, r.key.listing(), &l); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	anew := &run{imp: r.imp, done: map[int]string{}, batches: -1}
	r.mu.Unlock()
	anew.zero()
	anew.listed(l)
	seen = map[upnext.ItemID]bool{}
	for n, o := range im.outcomes(ctx, r.key, "", func(n int) bool { return n >= l.Batches }, &err) {
		anew.count(n, o)
		for _, id := range o.IDs {
			seen[id] = true
		}
		unknown = unknown || o.Unknown
	}
	if err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	to, from := &r.imp, &anew.imp
	to.Total, to.Created, to.Updated, to.Unchanged, to.Failed = from.Total, from.Created, from.Updated, from.Unchanged, from.Failed
	to.Causes, to.Stages = from.Causes, from.Stages
	r.done, r.batches = anew.done, anew.batches
	return seen, unknown, nil
}

// outcomes yields the kept outcomes by number, those after a key that are not
// known; *failed is set where one cannot be read.
func (im *Importer) outcomes(ctx context.Context, k runKey, after string, known func(n int) bool, failed *error) func(yield func(int, outcome) bool) {
	return func(yield func(int, outcome) bool) {
		for info, err := range im.Pipeline.Blobs.List(ctx, k.prefix()+"batch/", after) {
			var n int
			var o outcome
			found := false
			if err == nil {
				_, err = fmt.Sscanf(strings.TrimPrefix(info.Key, k.prefix()), "batch/%d.json", &n)
			}
			if err == nil && known(n) {
				continue
			}
			if err == nil {
				found, err = im.load(ctx, info.Key, &o)
			}
			if err != nil {
				*failed = err
				return
			}
			if !found {
				continue // the import has ended meanwhile, and is forgotten
			}
			if !yield(n, o) {
				return
			}
		}
	}
}

// zero sets to nothing what outcomes are counted into.
func (r *run) zero() {
	imp := &r.imp
	imp.Created, imp.Updated, imp.Unchanged, imp.Failed = 0, 0, 0, 0
	imp.Causes, imp.Stages = map[string]int64{}, nil
}

// count adds a batch to the import, unless it is in. r.mu is held.
func (r *run) count(n int, o outcome) {
	r.imp.Error, r.troubles, r.absent, r.moved = "", 0, time.Time{}, true // it goes on
	was := r.done[n]
	if r.done[n] = o.Digest; was == o.Digest {
		return
	}
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
