package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"upnext"
	"upnext/ingest/itemjson"
)

// check refuses the items that are wrong, each with its own error.
func (p *Pipeline) check(ctx context.Context, b *batch) error {
	schema, err := p.schema(ctx, b)
	if err != nil {
		return err
	}
	last := map[upnext.ItemID]int{}
	for i, w := range b.works {
		last[w.item.ID] = i
	}
	for i, w := range b.works {
		if w.err == nil {
			w.err = w.item.Validate()
		}
		if w.err == nil {
			w.err = schema.Check(w.item.Attributes)
		}
		for _, key := range []string{w.item.Thumbnail, w.item.Transcript, w.item.CommentKey} {
			if w.err == nil && isKey(w.item, key) && !owns(b.tenant, key) {
				w.err = fmt.Errorf("item %s: object %q: keys of tenant %s begin with %q: %w",
					w.item.ID, key, b.tenant, prefixOf(b.tenant), upnext.ErrInvalid)
			}
		}
		if w.err == nil && last[w.item.ID] != i {
			w.err = fmt.Errorf("item %s: given again later, which counts: %w", w.item.ID, upnext.ErrInvalid)
		}
	}
	return nil
}

// schema returns the tenant's, extended by the batch's attributes if it may be.
func (p *Pipeline) schema(ctx context.Context, b *batch) (upnext.Schema, error) {
	schema, err := p.Schemas.Schema(ctx, b.tenant, "items")
	if err != nil || !b.grow {
		return schema, err
	}
	unlock, err := p.lock(ctx, "schema/%s", b.tenant)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if schema, err = p.Schemas.Schema(ctx, b.tenant, "items"); err != nil {
		return nil, err
	}
	grown := false
	for _, w := range b.works {
		if w.err != nil || w.item.Validate() != nil {
			continue // what is refused leaves no trace in the schema
		}
		longer, more := itemjson.Extend(schema, w.item.Attributes)
		schema, grown = longer, grown || more
	}
	if grown {
		err = p.Schemas.PutSchema(ctx, b.tenant, "items", schema)
	}
	return schema, err
}

func prefixOf(t upnext.Tenant) string { return string(t) + "/" }

func owns(t upnext.Tenant, key string) bool { return strings.HasPrefix(key, prefixOf(t)) }

// isKey says whether a field's value is the key of an object in the store,
// rather than a URL, a text or nothing.
func isKey(it upnext.Item, v string) bool {
	switch {
	case v == "" || isURL(v):
		return false
	case v == it.Transcript:
		return upnext.IsTranscriptKey(v)
	}
	return true
}

func isURL(s string) bool { return strings.Contains(s, "://") }

// catalogue writes the batch's items and finds out what each still needs.
func (p *Pipeline) catalogue(ctx context.Context, b *batch) error {
	if err := p.open(ctx, b); err != nil {
		return err
	}
	good := b.lacking(nothing)
	ids := make([]upnext.ItemID, len(good))
	for i, w := range good {
		ids[i] = w.item.ID
		hash, err := p.hash(ctx, b.schema, w.item)
		if err != nil {
			return err
		}
		w.hash = hash
	}
	stale, err := p.compare(ctx, b, good, ids)
	if err != nil || len(good) == 0 {
		return err
	}
	// The marks go before the items change: whatever stops us in between, the
	// item is pending again, and never searched by what it no longer is.
	if err := p.Indexings.Mark(ctx, b.tenant, stale...); err != nil {
		return err
	}
	if err := p.unmarkElsewhere(ctx, b, stale); err != nil {
		return err
	}
	records := make([]upnext.Record, len(good))
	for i, w := range good {
		records[i] = upnext.Record{Item: w.item, Hash: w.hash, Source: b.source, Only: w.only}
	}
	statuses, err := p.Catalog.Put(ctx, b.tenant, records...)
	if err != nil {
		if len(stale) > 0 {
			p.leave(b.tenant) // their marks are gone
		}
		return err
	}
	for i, w := range good {
		w.status = statuses[i]
	}
	return nil
}

// unmarkElsewhere makes items pending in the other collections too, whose
// columns are about to be wrong. A change of words needs none of this: no mark
// has the new hash.
func (p *Pipeline) unmarkElsewhere(ctx context.Context, b *batch, stale []upnext.Indexing) error {
	if len(stale) == 0 {
		return nil
	}
	ids, hashes := make([]upnext.ItemID, len(stale)), map[upnext.ItemID]string{}
	for i, m := range stale {
		ids[i] = m.Item
	}
	for _, w := range b.works {
		hashes[w.item.ID] = w.hash
	}
	b.sound = map[string]map[upnext.ItemID]bool{}
	collections, err := p.Collections.List(ctx, b.tenant)
	if err != nil {
		return err
	}
	for _, info := range collections {
		if info.Name == b.collection {
			continue
		}
		marks, err := p.Indexings.Get(ctx, b.tenant, info.Name, ids...)
		if err != nil {
			return err
		}
		b.sound[info.Name] = map[upnext.ItemID]bool{}
		for i, m := range marks {
			b.sound[info.Name][m.Item] = m.Hash == hashes[m.Item]
			marks[i].Hash, marks[i].At = "", time.Time{}
		}
		if err := p.Indexings.Mark(ctx, b.tenant, marks...); err != nil {
			return err
		}
	}
	return nil
}

// compare sets what each work needs, by what is there of it, and returns the
// marks to make before the catalogue changes under them.
func (p *Pipeline) compare(ctx context.Context, b *batch, good []*work, ids []upnext.ItemID) ([]upnext.Indexing, error) {
	records, err := p.Catalog.Get(ctx, b.tenant, ids...)
	if err != nil {
		return nil, err
	}
	marks, err := p.Indexings.Get(ctx, b.tenant, b.collection, ids...)
	if err != nil {
		return nil, err
	}
	there := make(map[upnext.ItemID]upnext.Record, len(records))
	for _, r := range records {
		there[r.Item.ID] = r
	}
	marked := make(map[upnext.ItemID]upnext.Indexing, len(marks))
	for _, m := range marks {
		marked[m.Item] = m
	}
	for _, w := range good {
		r, ok := there[w.item.ID]
		if w.only != nil && *w.only != r.Version { // before any mark goes; Put has the last word
			return nil, fmt.Errorf("item %s: stands at version %d, not %d: %w", w.item.ID, r.Version, *w.only, upnext.ErrConflict)
		}
		m := marked[w.item.ID]
		w.textMark, w.imageMark = m.Text, m.Image
		switch {
		case !ok || r.Hash != w.hash || m.Hash != w.hash:
			w.need = vectors
		case !equal(r.Item, w.item):
			w.need = fields
		default:
			w.recall()
		}
	}
	if err := p.reuse(ctx, b); err != nil {
		return nil, err
	}
	var stale []upnext.Indexing
	for _, w := range b.lacking(fields) {
		if w.need == fields {
			stale = append(stale, upnext.Indexing{Item: w.item.ID, Collection: b.collection, Text: w.textMark, Image: w.imageMark})
		}
	}
	return stale, nil
}

// reuse fetches the vectors of the works whose words have not changed. One
// that the index has lost is made anew.
func (p *Pipeline) reuse(ctx context.Context, b *batch) error {
	var works []*work
	var ids []upnext.ItemID
	for _, w := range b.lacking(fields) {
		if w.need == fields {
			works, ids = append(works, w), append(ids, w.item.ID)
		}
	}
	if len(works) == 0 {
		return nil
	}
	vecs, err := b.index.Vectors(ctx, ids...)
	if err != nil {
		return err
	}
	for i, w := range works {
		if w.content = vecs[i]; w.content == nil {
			w.need = vectors
		}
	}
	return nil
}

// recall repeats what was wrong with an item when it was embedded: an import
// that skips it must not call it sound.
func (w *work) recall() {
	if w.noImage == "" && w.imageMark != "" && w.imageMark != markDone && w.imageMark != markNone {
		w.faulty("thumbnail", w.item.Thumbnail, "thumbnail", errors.New(w.imageMark))
	}
	if w.noText == "" && w.textMark != "" && w.textMark != markDone && w.textMark != markNone {
		if strings.HasPrefix(w.textMark, "comments: ") {
			w.faulty("comments", w.item.CommentKey, "comments", errors.New(w.textMark))
			return
		}
		w.faulty("transcript", w.item.Transcript, "transcript", errors.New(w.textMark))
	}
}

// equal compares as the API shows items: an empty list is like none.
func equal(a, b upnext.Item) bool {
	x, errX := itemjson.Encode(a)
	y, errY := itemjson.Encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// hash names everything that an item's vectors and labels are made of: its
// words, the attributes that are embedded (in the place of the regions, which
// are not) and the versions of its objects. Dates, a status and the other
// attributes can change without a call to an encoder.
func (p *Pipeline) hash(ctx context.Context, schema upnext.Schema, it upnext.Item) (string, error) {
	of := upnext.Item{
		ID: it.ID, Kind: it.Kind, Title: it.Title, Description: it.Description, Tags: it.Tags, Language: it.Language,
		CreatorName: it.CreatorName, Thumbnail: it.Thumbnail, Transcript: it.Transcript, Lyrics: it.Lyrics,
		Comments: it.Comments, CommentKey: it.CommentKey, Regions: embedded(schema, it),
	}
	h := sha256.New()
	body, err := itemjson.Encode(of)
	if err != nil {
		return "", err
	}
	h.Write(body)
	for _, key := range []string{it.Thumbnail, it.Transcript, it.CommentKey} {
		if !isKey(it, key) {
			continue
		}
		etag, err := p.version(ctx, key)
		if err != nil {
			return "", err
		}
		part, err := json.Marshal([]string{key, etag})
		if err != nil {
			return "", err
		}
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// version is what changes when an object does; empty while it is not there.
func (p *Pipeline) version(ctx context.Context, key string) (string, error) {
	if isContentKey(key) {
		return "", nil // the key itself names the content
	}
	info, err := p.Blobs.Stat(ctx, key)
	if errors.Is(err, upnext.ErrNotFound) || errors.Is(err, upnext.ErrInvalid) {
		return "", nil
	}
	return info.ETag, err
}
