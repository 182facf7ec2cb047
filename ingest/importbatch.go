package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext"
	"upnext/ingest/itemjson"
)

// batch takes one batch of a source through the Pipeline.
func (im *Importer) batch(ctx context.Context, r *run, a batchArgs) error {
	digest, err := a.digest()
	if err != nil {
		return err
	}
	if !r.begin(a.Number, digest) {
		return nil
	}
	defer r.rest(a.Number)
	if im.Queue.Shared() {
		if did, err := im.didElsewhere(ctx, r, a.Number, digest); did || err != nil {
			return err
		}
	}
	s, done, err := r.use(ctx, im)
	if err != nil {
		return err
	}
	defer done()
	if a.Version != s.version() {
		return fmt.Errorf("the source changed during the import: %w", upnext.ErrConflict)
	}
	b := &batch{tenant: a.Tenant, source: r.imp.Source, grow: true}
	letters, unknown, err := im.read(ctx, s, b, a.Entries)
	if err != nil {
		return err
	}
	if err := im.Pipeline.put(ctx, b); err != nil {
		return err
	}
	o := b.outcome(letters)
	o.Digest, o.Unknown = digest, unknown
	if err := im.settle(ctx, r, a.Number, o, append(letters, b.letters()...)); err != nil {
		return err
	}
	return im.save(ctx, r, false)
}

// didElsewhere says whether another process has done the batch, and counts it.
func (im *Importer) didElsewhere(ctx context.Context, r *run, n int, digest string) (bool, error) {
	var o outcome
	found, err := im.load(ctx, r.key.batch(n), &o)
	if !found || err != nil || o.Digest != digest {
		return false, err
	}
	r.mu.Lock()
	r.count(n, o)
	r.mu.Unlock()
	return true, im.last(ctx, r) // who did it may have been killed right after
}

// begin says whether the batch is still to do, as far as this process knows,
// and that it is being done.
func (r *run) begin(n int, digest string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done[n] == digest || r.working[n] {
		return false
	}
	r.working[n] = true
	return true
}

func (r *run) rest(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.working, n)
}

// maxLetters bounds the dead letters that one process writes for an import;
// the causes are counted on.
const maxLetters = 100_000

// settle keeps a batch's outcome.
func (im *Importer) settle(ctx context.Context, r *run, n int, o outcome, letters []upnext.Failure) error {
	r.mu.Lock()
	room := max(0, maxLetters-r.letters)
	r.mu.Unlock()
	letters = letters[:min(int64(len(letters)), room)]
	if len(letters) > 0 {
		if err := im.Imports.AddFailures(ctx, r.key.tenant, r.key.id, letters...); err != nil {
			return err
		}
	}
	if err := im.keep(ctx, r.key.batch(n), o); err != nil {
		return err
	}
	r.mu.Lock()
	r.letters += int64(len(letters))
	r.count(n, o)
	r.mu.Unlock()
	return im.last(ctx, r)
}

// nearEnd is how few batches are left when each one that is done looks whether
// it was the last.
const nearEnd = 32

// last queues the import's end after the last batch. Of processes that do the
// last ones at once at least one sees all of them.
func (im *Importer) last(ctx context.Context, r *run) error {
	r.mu.Lock()
	near := r.batches < 0 || r.batches-len(r.done) <= nearEnd
	r.mu.Unlock()
	if near && im.Queue.Shared() {
		if err := im.catchUp(ctx, r); err != nil {
			return err
		}
	}
	r.mu.Lock()
	last := r.complete()
	r.mu.Unlock()
	if !last {
		return nil
	}
	return im.insert(ctx, r.key.id, finishArgs{Tenant: r.key.tenant, Import: r.key.id})
}

// read makes works of a batch's entries, and dead letters of those that cannot
// be read; unknown says that the id of one of those is not known.
func (im *Importer) read(ctx context.Context, s *source, b *batch, entries []entry) (letters []upnext.Failure, unknown bool, err error) {
	began := time.Now()
	schema, err := im.Pipeline.Schemas.Schema(ctx, b.tenant, "items")
	if err != nil {
		return nil, false, err
	}
	for e, got := range s.items(ctx, entries, schema) {
		if got.err != nil && !ours(got.err) {
			return nil, false, got.err
		}
		w := &work{item: got.item, entry: e}
		if got.err != nil {
			letters = append(letters, letter(e, got.item.ID, "read", got.err))
			unknown = unknown || got.item.ID == ""
			if got.item.ID != "" {
				b.refused = append(b.refused, got.item.ID)
			}
			continue
		}
		w.err = got.item.Validate()
		b.works = append(b.works, w)
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, w := range b.works {
		if w.err == nil {
			group.Go(func() error { return im.adopt(within, s, b.tenant, w) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, false, err
	}
	b.busy[0] = upnext.Stage{Name: "read", Done: int64(len(b.works)), Failed: int64(len(letters)), Busy: time.Since(began)}
	return letters, unknown, ctx.Err()
}

// letter makes a dead letter of an entry.
func letter(e entry, id upnext.ItemID, stage string, err error) upnext.Failure {
	f := upnext.Failure{Key: e.place(), Line: e.Line, Item: clip(id), Stage: stage, Cause: "invalid", Detail: clip(err.Error())}
	field := new(itemjson.FieldError)
	switch {
	case e.Cause != "":
		f.Cause = e.Cause
	case errors.Is(err, upnext.ErrNotFound):
		f.Cause = "missing"
	case errors.Is(err, errSyntax), errors.As(err, &field) && field.Field == "":
		f.Cause = "syntax"
	}
	return f
}

// clip shortens what somebody else wrote, for a message.
func clip[S ~string](s S) S {
	const most = 500
	if len(s) <= most {
		return s
	}
	return S(strings.ToValidUTF8(string(s[:most]), "")) + S(fmt.Sprintf("… (%d bytes)", len(s)))
}

// place is the key that a dead letter names.
func (e entry) place() string {
	if e.Line == 0 {
		return e.Key + itemName
	}
	return e.Key
}

// letters are the dead letters of what the Pipeline refused or found wanting.
func (b *batch) letters() []upnext.Failure {
	var all []upnext.Failure
	for _, w := range b.works {
		if w.err != nil {
			all = append(all, letter(w.entry, w.item.ID, "catalogued", w.err))
			continue
		}
		for _, f := range w.faults {
			// By the item's place, so that two lines that name one missing picture are two.
			if given := w.given[f.Key]; given != "" { // nobody knows our copy by its name
				f.Key, f.Detail = given, strings.ReplaceAll(f.Detail, f.Key, given)
			}
			f.Line, f.Detail = w.entry.Line, clip(f.Detail)
			if f.Key == "" {
				f.Key = w.entry.place()
			}
			all = append(all, f)
		}
	}
	return all
}

// outcome counts the batch.
func (b *batch) outcome(unread []upnext.Failure) outcome {
	o := outcome{Causes: map[string]int64{}, Failed: int64(len(unread)), IDs: slices.Clone(b.refused)}
	for _, f := range unread {
		o.Causes[f.Cause]++
	}
	for _, f := range b.letters() {
		o.Causes[f.Cause]++
	}
	for _, w := range b.works {
		if len(w.item.ID) <= upnext.MaxID {
			o.IDs = append(o.IDs, w.item.ID)
		}
		switch {
		case w.err != nil:
			o.Failed++
		case w.status == upnext.Created:
			o.Created++
		case w.status == upnext.Updated:
			o.Updated++
		default:
			o.Unchanged++
		}
	}
	for _, s := range b.busy {
		if s.Name == "catalogued" {
			s.Failed = o.Failed - int64(len(unread))
		}
		if s.Name != "" {
			o.Stages = append(o.Stages, s)
		}
	}
	return o
}

// adopt makes the keys of an item keys of the object store, and copies there
// what lies elsewhere. A part that cannot be had is noted and left out.
func (im *Importer) adopt(ctx context.Context, s *source, t upnext.Tenant, w *work) error {
	for _, part := range []struct {
		stage string
		key   *string
		limit int64
	}{
		{"thumbnail", &w.item.Thumbnail, maxPicture},
		{"transcript", &w.item.Transcript, upnext.MaxTranscript},
		{"comments", &w.item.CommentKey, upnext.MaxTranscript},
	} {
		if !isKey(w.item, *part.key) {
			continue
		}
		if s.stored != "" {
			*part.key = s.stored + *part.key
			continue
		}
		key, err := im.copy(ctx, s, t, *part.key, w.entry.etag(*part.key), part.limit)
		if err != nil && !ours(err) {
			return err
		}
		switch {
		case err != nil:
			w.lost(part.stage, *part.key, err)
			w.noText, w.noImage = w.textMark, w.imageMark
		case w.given == nil:
			w.given = map[string]string{key: *part.key}
		default:
			w.given[key] = *part.key
		}
		*part.key = key
	}
	return nil
}

// copy puts an object of the source into the store under the hash of its
// content, or under its version in a bucket, unless it is there, and returns the
// key. etag is what the listing told of it, if anything.
func (im *Importer) copy(ctx context.Context, s *source, t upnext.Tenant, key, etag string, limit int64) (string, error) {
	if s.bucket != "" {
		if to, err := im.fetched(ctx, s, t, key, etag); to != "" || err != nil {
			return to, err
		}
	}
	r, info, err := s.files.Open(ctx, key, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := readAll(r, key, info, limit)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%x", sha256.Sum256(data))[:contentName]
	if s.bucket != "" {
		name = s.versionName(key, info.ETag) // what was read, should it have changed since it was listed
	}
	to := contentKey(t, name, key)
	if _, err := im.Pipeline.Blobs.Stat(ctx, to); !errors.Is(err, upnext.ErrNotFound) {
		return to, err
	}
	_, err = im.Pipeline.Blobs.Put(ctx, to, bytes.NewReader(data))
	return to, err
}
