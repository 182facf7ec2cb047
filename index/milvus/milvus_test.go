package milvus

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/index"
	"upnext/index/indextest"
	"upnext/infra/enginetest"
)

// servers are the variables that name the servers under test.
var servers = map[string]string{"standalone": "UPNEXT_TEST_MILVUS", "lite": "UPNEXT_TEST_MILVUS_LITE"}

// TestCollections gives every test of the suite tenants of its own on the same
// collections: making one takes a server seconds, and tenants must be apart.
func TestCollections(t *testing.T) {
	for name, variable := range servers {
		t.Run(name, func(t *testing.T) {
			shared := fresh(t, enginetest.URL(t, variable))
			opens := 0
			indextest.TestRemote(t, func(t *testing.T) index.Collections {
				opens++
				return apart{shared, upnext.Tenant(fmt.Sprintf("%d/", opens))}
			})
		})
	}
}

// apart puts something before every tenant's name.
type apart struct {
	*Collections
	before upnext.Tenant
}

func (a apart) Create(ctx context.Context, t upnext.Tenant, name string, spec index.Spec) (index.Index, error) {
	return a.Collections.Create(ctx, a.before+t, name, spec)
}

func (a apart) Active(ctx context.Context, t upnext.Tenant) (string, index.Index, error) {
	return a.Collections.Active(ctx, a.before+t)
}

func (a apart) Promote(ctx context.Context, t upnext.Tenant, name string) error {
	return a.Collections.Promote(ctx, a.before+t, name)
}

func (a apart) Drop(ctx context.Context, t upnext.Tenant, name string) error {
	return a.Collections.Drop(ctx, a.before+t, name)
}

func (a apart) List(ctx context.Context, t upnext.Tenant) ([]index.Info, error) {
	return a.Collections.List(ctx, a.before+t)
}

// fresh opens collections under a prefix of their own, which go after the test.
func fresh(t testing.TB, address string) *Collections {
	t.Helper()
	c := opened(t, fmt.Sprintf("%s?prefix=test_%d", address, time.Now().UnixNano()))
	t.Cleanup(func() { swept(t, c) })
	return c
}

func opened(t testing.TB, address string) *Collections {
	t.Helper()
	c, err := Open(t.Context(), address, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c
}

// swept drops all that a prefix has on the server, aliases first.
func swept(t testing.TB, c *Collections) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c.mu.Lock()
	tenants := slices.Collect(maps.Keys(c.active))
	c.mu.Unlock()
	for _, tenant := range append(tenants, "tests") {
		if _, _, err := c.aliased(ctx, tenant); err == nil {
			if err := c.client.DropAlias(ctx, c.alias(tenant)); err != nil {
				t.Errorf("drop the alias of %s: %v", tenant, err)
			}
		}
	}
	all, err := c.client.ListCollections(ctx)
	if err != nil {
		t.Errorf("list what is left: %v", err)
	}
	for _, left := range all {
		if strings.HasPrefix(left.Name, c.prefix+"_") {
			if err := c.client.DropCollection(ctx, left.Name); err != nil {
				t.Errorf("drop %s: %v", left.Name, err)
			}
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
