package milvus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
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
	idsAtOnce     = 5000
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
	dropped    atomic.Bool
	wrote      atomic.Int64 // when this process last changed it, nanoseconds
}

// level is the consistency of a read. What this process wrote it sees: strong
// while a bounded read may not have come to it yet. The session's level would
// do for upserts, and 2.3 does not see deletes by it.
func (x *Index) level() entity.ConsistencyLevel {
	if time.Since(time.Unix(0, x.wrote.Load())) < staleFor {
		return entity.ClStrong
	}
	return entity.ClBounded
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
	part := newRows(x.key.tenant, x.dim)
	for i, e := range entries {
		if last[e.ID] != i {
			continue
		}
		part.add(e)
		if part.bytes >= heaviestWrite {
			if err := x.put(ctx, part); err != nil {
				return err
			}
			part = newRows(x.key.tenant, x.dim)
		}
	}
	if len(part.pks) == 0 {
		return nil
	}
	return x.put(ctx, part)
}

func (x *Index) put(ctx context.Context, part *rows) error {
	return x.change(ctx, "upsert", func(ctx context.Context) error {
		_, err := x.of.client.Upsert(ctx, x.collection, "", part.columns()...)
		return err
	})
}

// change writes. The time is set before and after: a search meanwhile may see
// the change, one that begins later must.
func (x *Index) change(ctx context.Context, doing string, call func(context.Context) error) error {
	x.wrote.Store(time.Now().UnixNano())
	err := x.of.write(ctx, doing, x.collection, call)
	x.wrote.Store(time.Now().UnixNano())
	return err
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids ...upnext.ItemID) error {
	if err := x.check(ctx); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	for part := range slices.Chunk(ids, deletesAtOnce) {
		err := x.change(ctx, "delete", func(ctx context.Context) error {
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
	for part := range slices.Chunk(ids, vectorsAtOnce) {
		of, err := x.stored(ctx, x.named(part))
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

// stored reads ids and vectors of the rows that an expression passes.
func (x *Index) stored(ctx context.Context, expression string) ([]index.Entry, error) {
	rows, err := x.of.query(ctx, x.collection, expression, []string{columnPrimary, columnVector}, x.level())
	if err != nil || rows.Len() == 0 {
		return nil, err
	}
	pks, arePks := rows.GetColumn(columnPrimary).(*entity.ColumnVarChar)
	vectors, areVectors := rows.GetColumn(columnVector).(*entity.ColumnFloatVector)
	if !arePks || !areVectors || pks.Len() != vectors.Len() {
		return nil, fmt.Errorf("query: an answer without its columns: %w", upnext.ErrUnavailable)
	}
	entries := make([]index.Entry, pks.Len())
	for i, pk := range pks.Data() {
		id, err := idOf(pk)
		if err != nil {
			return nil, err
		}
		entries[i] = index.Entry{ID: id, Vector: vectors.Data()[i]}
	}
	return entries, nil
}

// All implements index.Index, by pages in the order of keys, strongly
// consistent, as the collection's own level is, which iterators go by.
func (x *Index) All(ctx context.Context) iter.Seq2[upnext.ItemID, error] {
	return func(yield func(upnext.ItemID, error) bool) {
		if err := x.check(ctx); err != nil {
			yield("", fmt.Errorf("all: %w", err))
			return
		}
		var pages *client.QueryIterator
		next := func(ctx context.Context) (rows client.ResultSet, err error) {
			err = x.of.read(ctx, "all", x.collection, func(ctx context.Context) error {
				if pages == nil {
					options := client.NewQueryIteratorOption(x.collection).WithExpr(x.of.server.ofTenant(x.key.tenant)).
						WithOutputFields(columnPrimary).WithBatchSize(idsAtOnce)
					if pages, err = x.of.client.QueryIterator(ctx, options); err != nil {
						return err
					}
				}
				rows, err = pages.Next(ctx)
				if errors.Is(err, io.EOF) {
					rows, err = nil, nil
				}
				return err
			})
			return rows, err
		}
		for {
			rows, err := next(ctx)
			if err != nil {
				yield("", err)
				return
			}
			if rows.Len() == 0 {
				return
			}
			pks, _ := rows.GetColumn(columnPrimary).(*entity.ColumnVarChar)
			if pks == nil {
				yield("", fmt.Errorf("all: an answer without keys: %w", upnext.ErrUnavailable))
				return
			}
			for _, pk := range pks.Data() {
				id, err := idOf(pk)
				if !yield(id, err) || err != nil {
					return
				}
			}
		}
	}
}
