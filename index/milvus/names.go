package milvus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"upnext"
	"upnext/index"
)

// Milvus' names hold [A-Za-z0-9_]. A collection's are [a-z0-9-], so that the
// dash becomes the underscore that it cannot have; the dimension is part of the
// name because two tenants may give one name different ones.

func (c *Collections) collectionName(name string, dim int) string {
	return fmt.Sprintf("%s_c_%s_d%d", c.prefix, strings.ReplaceAll(name, "-", "_"), dim)
}

// collectionOf is collectionName backwards.
func (c *Collections) collectionOf(milvus string) (name string, dim int, ok bool) {
	rest, ours := strings.CutPrefix(milvus, c.prefix+"_c_")
	at := strings.LastIndex(rest, "_d")
	if !ours || at < 0 {
		return "", 0, false
	}
	dim, err := strconv.Atoi(rest[at+2:])
	return strings.ReplaceAll(rest[:at], "_", "-"), dim, err == nil
}

func (c *Collections) registryName() string { return c.prefix + "_registry" }

// alias is the name that stands for a tenant's promoted collection: of a
// fingerprint, because tenants' names hold anything.
func (c *Collections) alias(t upnext.Tenant) string {
	sum := sha256.Sum256([]byte(t))
	return c.prefix + "_active_" + hex.EncodeToString(sum[:16])
}

// aliased returns which collection a tenant's alias stands for; ErrNotFound
// where there is none.
func (c *Collections) aliased(ctx context.Context, t upnext.Tenant) (string, int, error) {
	milvus, err := c.described(ctx, c.alias(t))
	if err != nil {
		return "", 0, fmt.Errorf("promoted collection of tenant %s: %w", t, err)
	}
	name, dim, ok := c.collectionOf(milvus)
	if !ok {
		return "", 0, fmt.Errorf("promoted collection of tenant %s is %q, which is not ours: %w", t, milvus, upnext.ErrConflict)
	}
	return name, dim, nil
}

// point makes a tenant's alias stand for a collection.
func (c *Collections) point(ctx context.Context, t upnext.Tenant, collection string) error {
	ctx, cancel := context.WithTimeout(ctx, changeFor)
	defer cancel()
	_, err := c.described(ctx, c.alias(t))
	switch {
	case err == nil:
		err = c.client.AlterAlias(ctx, collection, c.alias(t))
	case isNotFound(err):
		err = c.client.CreateAlias(ctx, collection, c.alias(t))
	}
	return c.failed(ctx, "point alias", err)
}

// primary is the key of a row. Escaped, so that it needs no quoting anywhere.
func primary(t upnext.Tenant, id string) string {
	return url.PathEscape(string(t)) + "/" + url.PathEscape(id)
}

// idOf is primary backwards.
func idOf(primary string) (upnext.ItemID, error) {
	_, escaped, ok := strings.Cut(primary, "/")
	id, err := url.PathUnescape(escaped)
	if !ok || err != nil {
		return "", fmt.Errorf("row %.80q is not ours: %w", primary, upnext.ErrConflict)
	}
	return upnext.ItemID(id), nil
}

// sameFields reports whether two specs have the same columns.
func sameFields(a, b index.Spec) bool {
	if len(a.Fields) != len(b.Fields) {
		return false
	}
	for name, t := range a.Fields {
		if b.Fields[name] != t {
			return false
		}
	}
	return true
}
