package milvus

import (
	"context"
	"fmt"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"upnext"
)

// described returns the name of the collection that a name or an alias stands
// for, past the SDK's cache; ErrNotFound where there is none.
func (c *Collections) described(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	of, err := c.client.DescribeCollection(ctx, name)
	if err == nil {
		return of.Name, nil
	}
	if missing(err) {
		return "", fmt.Errorf("%s: %w", name, upnext.ErrNotFound)
	}
	// Servers differ in the code for this; whether it exists is a question of
	// its own.
	if has, askErr := c.client.HasCollection(ctx, name); askErr == nil && !has {
		return "", fmt.Errorf("%s: %w", name, upnext.ErrNotFound)
	}
	return "", c.failed(ctx, "describe "+name, err)
}

// loaded brings a collection into the server's memory, where it stays until
// the server stops.
func (c *Collections) loaded(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, loadFor)
	defer cancel()
	state, err := c.client.GetLoadState(ctx, name, nil)
	if err == nil && state == entity.LoadStateLoaded {
		return nil
	}
	began := time.Now()
	if err := c.client.LoadCollection(ctx, name, false); err != nil {
		return c.failed(ctx, "load "+name, err)
	}
	c.log.InfoContext(ctx, "milvus collection loaded", "collection", name, "took", time.Since(began))
	return nil
}

// againAfter are the pauses before a read is made again that the server refused
// though the collection is loaded. Milvus 2.3.5 fails some filtered reads of a
// segment that grows meanwhile (its assertion on chunks in ExecExprVisitor):
// the next one finds the segment whole.
var againAfter = []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond}

// read makes a call that may be made again. Where it fails because the
// collection is not loaded, as after a restart of the server, it is loaded and
// the call made once more.
func (c *Collections) read(ctx context.Context, doing, collection string, call func(context.Context) error) error {
	attempt := func() error {
		ctx, cancel := context.WithTimeout(ctx, readFor)
		defer cancel()
		return call(ctx)
	}
	err := attempt()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return c.failed(ctx, doing, fmt.Errorf("%w: %w", upnext.ErrUnavailable, ctx.Err()))
	}
	if _, gone := c.described(ctx, collection); isNotFound(gone) {
		return fmt.Errorf("%s: collection %w", doing, gone)
	}
	ask, cancel := context.WithTimeout(ctx, readFor)
	state, askErr := c.client.GetLoadState(ask, collection, nil)
	cancel()
	if askErr != nil {
		return c.failed(ctx, doing, err)
	}
	if state != entity.LoadStateLoaded {
		if err := c.loaded(ctx, collection); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return c.failed(ctx, doing, attempt())
	}
	for _, pause := range againAfter {
		if !refused(err) {
			break
		}
		select {
		case <-ctx.Done():
			return c.failed(ctx, doing, err)
		case <-time.After(pause):
		}
		if err = attempt(); err == nil {
			c.log.WarnContext(ctx, "milvus answered a read at another try", "doing", doing, "collection", collection)
			return nil
		}
	}
	return c.failed(ctx, doing, err)
}

// write makes a change that may be made again: an upsert or a delete, which
// done twice is done once. The SDK tries again where the server is not there
// or holds back, until the time is up.
func (c *Collections) write(ctx context.Context, doing, collection string, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	err := call(ctx)
	if err == nil || ctx.Err() != nil {
		return c.failed(ctx, doing, err)
	}
	if _, gone := c.described(ctx, collection); isNotFound(gone) {
		return fmt.Errorf("%s: collection %w", doing, gone)
	}
	// The server may have refused because it came back a moment ago.
	if loadErr := c.loaded(ctx, collection); loadErr != nil {
		return c.failed(ctx, doing, err)
	}
	return c.failed(ctx, doing, call(ctx))
}

// query reads the rows that an expression passes.
func (c *Collections) query(ctx context.Context, collection, expression string, columns []string, level entity.ConsistencyLevel, more ...client.SearchQueryOptionFunc) (client.ResultSet, error) {
	var rows client.ResultSet
	options := append([]client.SearchQueryOptionFunc{client.WithSearchQueryConsistencyLevel(level)}, more...)
	err := c.read(ctx, "query", collection, func(ctx context.Context) (err error) {
		rows, err = c.client.Query(ctx, collection, nil, expression, columns, options...)
		return err
	})
	return rows, err
}

// count counts the rows that an expression passes, as they are now.
func (c *Collections) count(ctx context.Context, collection, expression string) (int, error) {
	rows, err := c.query(ctx, collection, expression, []string{"count(*)"}, entity.ClStrong)
	if err != nil {
		return 0, err
	}
	n, err := rows.GetColumn("count(*)").GetAsInt64(0)
	if err != nil {
		return 0, fmt.Errorf("count: %w: %w", upnext.ErrUnavailable, err)
	}
	return int(n), nil
}
