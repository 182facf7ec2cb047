package main

import (
	"context"
	"runtime/debug"

	"upnext"
	"upnext/ingest"
	"upnext/serve/api"
)

// The flows do not know one another: ingest's parts are given to the API
// through its own small interfaces.

type writer struct{ *ingest.Pipeline }

// Put makes api.Written of ingest.Result.
func (w writer) Put(ctx context.Context, t upnext.Tenant, items ...upnext.Item) ([]api.Written, error) {
	results, err := w.Pipeline.Put(ctx, t, items...)
	written := make([]api.Written, len(results))
	for i, r := range results {
		written[i] = api.Written{ID: r.ID, Status: r.Status, Err: r.Err, Failures: r.Failures}
	}
	return written, err
}

type importer struct{ *ingest.Importer }

// Start makes an ingest.ImportRequest of an api.ImportOrder.
func (im importer) Start(ctx context.Context, t upnext.Tenant, order api.ImportOrder) (upnext.Import, error) {
	return im.Importer.Start(ctx, t, ingest.ImportRequest{Source: order.Source, Format: order.Format, OnMissing: order.OnMissing})
}

// version is the module's, or that of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
