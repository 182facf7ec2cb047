package milvus

import (
	"context"
	"maps"
	"slices"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
)

// The columns beside those of upnext.ItemFields, which have their own names.
const (
	columnPrimary = "pk"
	columnTenant  = "tenant"
	columnVector  = "vector"
	columnMore    = "more"    // JSON: every other field
	columnPresent = "present" // which names are in more
	columnPartial = "partial" // something did not fit: filters let the row through
)

// What columns hold. A value beyond it makes its row partial.
const (
	longestPrimary = 2048
	longestText    = 4096
	longestElement = 1024
	mostElements   = 512
	longestMore    = 60 << 10 // of Milvus' 64 KiB
	mostPresent    = 1024
)

// The graph of HNSW: 24 neighbours, found among 200.
const (
	graphDegree = 24
	graphEffort = 200
)

// partitions spread the tenants of a collection.
const partitions = 16

func textField(name string, length int64) *entity.Field {
	return entity.NewField().WithName(name).WithDataType(entity.FieldTypeVarChar).WithMaxLength(length)
}

func listField(name string, most, length int64) *entity.Field {
	return entity.NewField().WithName(name).WithDataType(entity.FieldTypeArray).WithElementType(entity.FieldTypeVarChar).
		WithMaxCapacity(most).WithMaxLength(length)
}

// builtin are the names of the fields with a column of their own, in order.
func builtin() []string { return slices.Sorted(maps.Keys(upnext.ItemFields)) }

// collectionSchema is one column a built-in field and one for all others, so
// that a wider Spec needs no new column and finds the rows that are there.
func collectionSchema(name string, dim int) *entity.Schema {
	s := entity.NewSchema().WithName(name).
		WithField(textField(columnPrimary, longestPrimary).WithIsPrimaryKey(true)).
		WithField(textField(columnTenant, upnext.MaxID).WithIsPartitionKey(true)).
		WithField(entity.NewField().WithName(columnVector).WithDataType(entity.FieldTypeFloatVector).WithDim(int64(dim))).
		WithField(entity.NewField().WithName(columnMore).WithDataType(entity.FieldTypeJSON)).
		WithField(listField(columnPresent, mostPresent, longestElement)).
		WithField(entity.NewField().WithName(columnPartial).WithDataType(entity.FieldTypeBool))
	for _, field := range builtin() {
		switch upnext.ItemFields[field] {
		case upnext.String:
			s = s.WithField(textField(field, longestText))
		case upnext.Strings:
			s = s.WithField(listField(field, mostElements, longestElement))
		case upnext.Number:
			s = s.WithField(entity.NewField().WithName(field).WithDataType(entity.FieldTypeDouble))
		case upnext.Bool:
			s = s.WithField(entity.NewField().WithName(field).WithDataType(entity.FieldTypeBool))
		case upnext.Time:
			s = s.WithField(entity.NewField().WithName(field).WithDataType(entity.FieldTypeInt64))
		}
	}
	return s
}

// ensure makes a collection where there is none, with its index, and loads it.
// Each part is asked for on its own: another process may be making it too, or
// have stopped half-way.
func (c *Collections) ensure(ctx context.Context, schema *entity.Schema) error {
	name := schema.CollectionName
	change, cancel := context.WithTimeout(ctx, changeFor)
	defer cancel()
	if _, err := c.described(change, name); isNotFound(err) {
		options := []client.CreateCollectionOption{client.WithConsistencyLevel(entity.ClStrong)}
		if slices.ContainsFunc(schema.Fields, func(f *entity.Field) bool { return f.IsPartitionKey }) {
			options = append(options, client.WithPartitionNum(partitions))
		}
		err := c.client.CreateCollection(change, schema, 1, options...)
		if _, elsewhere := c.described(change, name); err != nil && elsewhere != nil {
			return c.failed(change, "create "+name, err)
		}
	} else if err != nil {
		return err
	}
	state, err := c.client.GetLoadState(change, name, nil)
	if err == nil && state == entity.LoadStateLoaded {
		return nil
	}
	if indexes, err := c.client.DescribeIndex(change, name, columnVector); err != nil || len(indexes) == 0 {
		graph, err := entity.NewIndexHNSW(entity.IP, graphDegree, graphEffort)
		if err == nil {
			// Not waited for: an empty collection's is done, a full one's is
			// waited for by the load.
			err = c.client.CreateIndex(change, name, columnVector, graph, true)
		}
		if again, describeErr := c.client.DescribeIndex(change, name, columnVector); err != nil && (describeErr != nil || len(again) == 0) {
			return c.failed(change, "index "+name, err)
		}
	}
	return c.loaded(ctx, name)
}
