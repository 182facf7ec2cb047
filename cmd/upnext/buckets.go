package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"upnext"
	"upnext/infra/blob"
	"upnext/infra/blob/dir"
	"upnext/infra/blob/minio"
	"upnext/ingest"
)

// openObjects opens the object store that the settings name.
func openObjects(ctx context.Context, s *Settings, logger *slog.Logger) (blob.Store, error) {
	switch scheme, rest, _ := strings.Cut(s.Objects, ":"); {
	case s.Objects == "":
		return dir.Open(filepath.Join(s.DataDir, "objects"))
	case scheme == "file":
		return dir.Open(strings.TrimPrefix(rest, "//"))
	case scheme == "s3":
		return minio.Open(ctx, s.Objects, logger)
	default:
		return nil, fmt.Errorf("--objects %s:…: no such engine; there are file:DIR and s3://BUCKET/PREFIX: %w", scheme, upnext.ErrInvalid)
	}
}

// bucketsOf returns what opens the sources of imports; what is watched is open
// to its tenant. nil where the settings name none.
func bucketsOf(s *Settings, logger *slog.Logger) (*minio.Sources, error) {
	if len(s.S3Sources)+len(s.Watch) == 0 {
		return nil, nil
	}
	addresses := slices.Clone(s.S3Sources)
	for _, text := range s.Watch {
		a, err := minio.ParseAddress(text, "tenant", "on_missing", "format")
		if err != nil {
			return nil, fmt.Errorf("--watch: %w", err)
		}
		if a.Extra.Get("tenant") == "" {
			separator := "?"
			if strings.Contains(text, "?") {
				separator = "&"
			}
			text += separator + "tenant=" + string(upnext.DefaultTenant)
		}
		addresses = append(addresses, text)
	}
	sources, err := minio.NewSources(addresses, logger)
	if err != nil {
		return nil, fmt.Errorf("--s3-sources: %w", err)
	}
	return sources, nil
}

// opener makes an ingest.ImporterConfig.Buckets of sources, which may be nil.
func opener(sources *minio.Sources) func(context.Context, upnext.Tenant, string, string) (blob.Store, error) {
	if sources == nil {
		return nil
	}
	return func(ctx context.Context, t upnext.Tenant, bucket, key string) (blob.Store, error) {
		store, err := sources.Open(ctx, t, bucket, key)
		if err != nil {
			return nil, err
		}
		return store, nil
	}
}

// newWatcher makes the Watcher of --watch; nil where nothing is watched.
func newWatcher(s *Settings, im *ingest.Importer, sources *minio.Sources, locks upnext.Locks) (*ingest.Watcher, error) {
	if len(s.Watch) == 0 {
		return nil, nil
	}
	c := ingest.WatcherConfig{Importer: im, Every: s.WatchEvery, Locks: locks}
	for _, text := range s.Watch {
		a, err := minio.ParseAddress(text, "tenant", "on_missing", "format")
		if err != nil {
			return nil, fmt.Errorf("--watch: %w", err)
		}
		c.Watches = append(c.Watches, ingest.Watch{
			Tenant: upnext.Tenant(cmp.Or(a.Extra.Get("tenant"), string(upnext.DefaultTenant))), Source: strings.TrimSuffix("s3://"+a.Bucket+"/"+a.Prefix, "/"),
			Format: a.Extra.Get("format"), OnMissing: upnext.OnMissing(a.Extra.Get("on_missing")),
		})
	}
	if s.WatchARN != "" {
		c.Announce = func(ctx context.Context, t upnext.Tenant, bucket, prefix string) error {
			return sources.Announce(ctx, t, bucket, prefix, s.WatchARN)
		}
	}
	w, err := ingest.NewWatcher(c)
	if err != nil {
		return nil, fmt.Errorf("--watch: %w", err)
	}
	return w, nil
}
