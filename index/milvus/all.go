package milvus

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
)

// idsAtOnce is a page of All.
const idsAtOnce = 5000

// All implements index.Index, by pages in the order of keys.
func (x *Index) All(ctx context.Context) iter.Seq2[upnext.ItemID, error] {
	return func(yield func(upnext.ItemID, error) bool) {
		if err := x.check(ctx); err != nil {
			yield("", fmt.Errorf("all: %w", err))
			return
		}
		v := x.overlay.view(time.Now())
		for last := ""; ; {
			page, err := x.page(ctx, v, last)
			if err != nil {
				yield("", fmt.Errorf("all: %w", err))
				return
			}
			if len(page) == 0 { // a short page is no end: 2.3 cuts it where one segment's share ends
				break
			}
			for _, pk := range page {
				id, err := idOf(pk)
				if _, over := v.recent[id]; over && err == nil {
					continue
				}
				if !yield(id, err) || err != nil {
					return
				}
			}
			last = page[len(page)-1]
		}
		for id, e := range v.recent {
			if e.Vector != nil && !yield(id, nil) {
				return
			}
		}
	}
}

// page reads the keys after one. The SDK's iterator does the same, at the
// collection's level alone and reading the first page twice: the flags that
// make pages come in order have no options, so that the request is built here.
func (x *Index) page(ctx context.Context, v view, last string) ([]string, error) {
	guarantee := client.BoundedTimestamp
	if v.level == entity.ClStrong {
		guarantee = client.StrongTimestamp
	}
	request := &milvuspb.QueryRequest{
		CollectionName:     x.collection,
		Expr:               x.of.server.ofTenant(x.key.tenant) + " and " + columnPrimary + " > " + quoted(last),
		OutputFields:       []string{columnPrimary},
		GuaranteeTimestamp: guarantee,
		QueryParams: []*commonpb.KeyValuePair{
			{Key: "limit", Value: strconv.Itoa(idsAtOnce)},
			{Key: "iterator", Value: "true"},
			{Key: "reduce_stop_for_best", Value: "true"},
		},
	}
	var pks []string
	err := x.of.read(ctx, "page", x.collection, func(ctx context.Context) error {
		answer, err := x.of.client.Service.Query(ctx, request)
		if err != nil {
			return err
		}
		pks = nil
		for _, column := range answer.GetFieldsData() {
			if column.GetFieldName() == columnPrimary {
				pks = column.GetScalars().GetStringData().GetData()
			}
		}
		return nil
	})
	return pks, err
}
