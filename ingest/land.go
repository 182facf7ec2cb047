package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"upnext"
	"upnext/index"
	"upnext/understand"
)

// What Indexing.Text and Image say besides a reason.
const (
	markDone = "done"
	markNone = "none"
)

// open opens the collection that the batch goes to.
func (p *Pipeline) open(ctx context.Context, b *batch) error {
	schema, err := p.Schemas.Schema(ctx, b.tenant, "items")
	if err != nil {
		return err
	}
	b.collection, b.schema = b.lane.Space.Name(), schema
	b.index, err = p.Collections.Create(ctx, b.tenant, b.collection, Spec(b.lane.Space.Dim(), schema))
	if err != nil {
		return fmt.Errorf("collection %s: %w", b.collection, err)
	}
	// The first collection of a tenant is at once the one that is searched; a
	// later one is promoted when it is full.
	if !b.lane.main {
		return nil
	}
	if _, _, err = p.Collections.Active(ctx, b.tenant); errors.Is(err, upnext.ErrNotFound) {
		err = p.Collections.Promote(ctx, b.tenant, b.collection)
	}
	return err
}

// Spec is what a collection of items is made for: the items' own fields and
// the filterable attributes as columns.
func Spec(dim int, schema upnext.Schema) index.Spec {
	columns := maps.Clone(upnext.ItemFields)
	for _, a := range schema {
		if a.Filterable {
			columns["attributes."+a.Name] = a.Type
		}
	}
	return index.Spec{Dim: dim, Fields: columns}
}

// understand asks what the batch's new contents are about and keeps the answers.
func (p *Pipeline) understand(ctx context.Context, b *batch) error {
	works := b.lacking(vectors)
	if len(works) == 0 || !b.lane.main {
		return nil // what the main encoders' vectors said of an item holds
	}
	inputs := make([]understand.Input, len(works))
	for i, w := range works {
		inputs[i] = understand.Input{Item: w.item, Text: w.text, Vec: w.textVec, Passages: w.passages, Model: p.Text.Model().ID}
	}
	answers, err := p.Understander.Understand(ctx, inputs...)
	if err != nil {
		return endpoint(err)
	}
	beliefs := make(map[upnext.ItemID]upnext.Understanding, len(works))
	now := p.Now().UTC()
	for i, w := range works {
		answers[i].At = now
		beliefs[w.item.ID] = answers[i]
	}
	return p.Understandings.Believe(ctx, b.tenant, beliefs)
}

// land makes the index and the marks agree with the catalogue. Items that were
// deleted or replaced on the way are left to whoever did it.
func (p *Pipeline) land(ctx context.Context, b *batch) error {
	works := b.lacking(fields)
	if len(works) == 0 {
		return nil
	}
	ids := make([]upnext.ItemID, len(works))
	byID := make(map[upnext.ItemID]*work, len(works))
	for i, w := range works {
		ids[i] = w.item.ID
		byID[w.item.ID] = w
	}
	unlock, err := p.landing(ctx, b.tenant, b.collection)
	if err != nil {
		return err
	}
	defer unlock()
	records, err := p.Catalog.Get(ctx, b.tenant, ids...)
	if err != nil {
		return err
	}
	var entries []index.Entry
	var marks []upnext.Indexing
	for _, r := range records {
		w := byID[r.Item.ID]
		if r.Hash != w.hash {
			continue
		}
		m := upnext.Indexing{Item: r.Item.ID, Collection: b.collection, Hash: w.hash, Text: w.textMark, Image: w.imageMark}
		if w.content != nil {
			m.At = p.Now()
			entries = append(entries, index.Entry{ID: r.Item.ID, Vector: w.content, Fields: r.Fields()})
		}
		marks = append(marks, m)
	}
	if err := b.index.Upsert(ctx, entries...); err != nil {
		return err
	}
	return p.Indexings.Mark(ctx, b.tenant, marks...)
}
