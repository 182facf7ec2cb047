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

// PutOnly adapts the one result.
func (w writer) PutOnly(ctx context.Context, t upnext.Tenant, it upnext.Item, version int64) (api.Written, error) {
	r, err := w.Pipeline.PutOnly(ctx, t, it, version)
	return api.Written{ID: r.ID, Status: r.Status, Err: r.Err, Failures: r.Failures}, err
}

type collections struct{ *ingest.Pipeline }

// List makes api.Collections of ingest.Progress.
func (c collections) List(ctx context.Context, t upnext.Tenant) ([]api.Collection, error) {
	all, err := c.Progress(ctx, t)
	list := make([]api.Collection, len(all))
	for i, p := range all {
		list[i] = api.Collection{
			Name: p.Name, Text: p.Text, Image: p.Image, Role: p.Role, Entries: p.Entries, Promoted: p.Promoted, Tally: p.Tally, Began: p.Began, Full: p.Full,
			Texts: p.Texts, Images: p.Images, Endpoint: p.Endpoint, Remaining: p.Remaining, PerSecond: p.PerSecond, Error: p.Error,
		}
	}
	return list, err
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
