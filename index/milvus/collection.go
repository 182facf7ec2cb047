package milvus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
	"upnext/index"
)

var _ index.Index = (*Index)(nil)

const (
	// heaviestWrite is what one message holds, far below the servers' 64 MiB.
	// More go out as several, of which a failure may leave the first done.
	heaviestWrite = 24 << 20
	deletesAtOnce = 2000
	vectorsAtOnce = 500
)

// staleFor is how old what a bounded read sees may be: Milvus' own 5 s, and a
// margin.
const staleFor = 15 * time.Second

// Index is one tenant's rows of one collection.
type Index struct {
	of         *Collections
	key        key
	dim        int
	collection string
	fields     atomic.Pointer[map[string]upnext.AttributeType] // the Spec's, replaced when widened
	created    atomic.Int64                                    // when Create last asked the server, Unix nanoseconds
	dropped    atomic.Bool
	overlay    overlay
}

func (x *Index) check(ctx context.Context) error {
	if x.dropped.Load() {
		return fmt.Errorf("collection %s was dropped: %w", x.key.name, upnext.ErrNotFound)
	}
	return ctx.Err()
}

// Upsert implements index.Index. All or none holds for what fits in one
// message of 24 MiB, some thousands of entries.
func (x *Index) Upsert(ctx context.Context, entries ...index.Entry) error {
	if err := x.check(ctx); err != nil {
		return fmt.Errorf("upsert: %w", err)
	}
	last := make(map[upnext.ItemID]int, len(entries))
	for i, e := range entries {
		if err := e.Check(x.dim); err != nil {
			return fmt.Errorf("upsert: %w", err)
		}
		last[e.ID] = i
	}
	part, of := newRows(x.key.tenant, x.dim), []index.Entry{}
	for i, e := range entries {
		if last[e.ID] != i {
			continue
		}
		part.add(e)
		of = append(of, e)
		if part.bytes >= heaviestWrite {
			if err := x.put(ctx, part, of); err != nil {
				return err
			}
			part, of = newRows(x.key.tenant, x.dim), nil
		}
	}
	if len(of) == 0 {
		return nil
	}
	return x.put(ctx, part, of)
}

func (x *Index) put(ctx context.Context, part *rows, of []index.Entry) error {
	return x.change(ctx, "upsert", of, func(ctx context.Context) error {
		_, err := x.of.client.Upsert(ctx, x.collection, "", part.columns()...)
		return err
	})
}

// change writes and keeps in mind what was written.
func (x *Index) change(ctx context.Context, doing string, entries []index.Entry, call func(context.Context) error) error {
	x.overlay.begin(entries)
	err := x.of.write(ctx, doing, x.collection, call)
	x.overlay.end(entries, err != nil, time.Now())
	return err
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids ...upnext.ItemID) error {
	if err := x.check(ctx); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	for part := range slices.Chunk(ids, deletesAtOnce) {
		gone := make([]index.Entry, len(part))
		for i, id := range part {
			gone[i].ID = id
		}
		err := x.change(ctx, "delete", gone, func(ctx context.Context) error {
			return x.of.client.Delete(ctx, x.collection, "", x.named(part))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// named is the expression for rows by id.
func (x *Index) named(ids []upnext.ItemID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = quoted(primary(x.key.tenant, string(id)))
	}
	return columnPrimary + " in [" + strings.Join(list, ", ") + "]"
}

// Vectors implements index.Index.
func (x *Index) Vectors(ctx context.Context, ids ...upnext.ItemID) ([][]float32, error) {
	if err := x.check(ctx); err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	found := make(map[upnext.ItemID][]float32, len(ids))
	v := x.overlay.view(time.Now())
	var asked []upnext.ItemID
	for _, id := range ids {
		if e, is := v.recent[id]; is {
			found[id] = slices.Clone(e.Vector)
		} else {
			asked = append(asked, id)
		}
	}
	for part := range slices.Chunk(asked, vectorsAtOnce) {
		of, err := x.stored(ctx, v, x.named(part))
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		for _, e := range of {
			found[e.ID] = e.Vector
		}
	}
	vectors := make([][]float32, len(ids))
	for i, id := range ids {
		vectors[i] = found[id]
	}
	return vectors, nil
}

// stored reads ids and vectors of the rows that an expression passes, without
// those that the view lays something over.
func (x *Index) stored(ctx context.Context, v view, expression string) ([]index.Entry, error) {
	rows, err := x.of.query(ctx, x.collection, expression, []string{columnPrimary, columnVector}, v.level)
	if err != nil || rows.Len() == 0 {
		return nil, err
	}
	pks, arePks := rows.GetColumn(columnPrimary).(*entity.ColumnVarChar)
	vectors, areVectors := rows.GetColumn(columnVector).(*entity.ColumnFloatVector)
	if !arePks || !areVectors || pks.Len() != vectors.Len() {
		return nil, fmt.Errorf("query: an answer without its columns: %w", upnext.ErrUnavailable)
	}
	entries := make([]index.Entry, 0, pks.Len())
	for i, pk := range pks.Data() {
		id, err := idOf(pk)
		if err != nil {
			return nil, err
		}
		if _, over := v.recent[id]; !over {
			entries = append(entries, index.Entry{ID: id, Vector: vectors.Data()[i]})
		}
	}
	return entries, nil
}
