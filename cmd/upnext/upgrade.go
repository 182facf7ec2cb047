package main

import (
	"cmp"
	"context"
	"fmt"

	"upnext"
	"upnext/embed"
	"upnext/ingest"
)

// openNext opens the encoders of the collection that is to follow; nil where
// no setting names any. What no setting changes is as it is now.
func (e *engines) openNext(ctx context.Context) (next *embed.Encoders, query embed.Embedder, err error) {
	s := e.settings
	if s.NextTextEncoder == "" && s.NextImageEncoder == "" && s.NextTextWeight == 0 {
		return nil, nil, nil
	}
	// Not counted: the metrics are those of the present encoders.
	options := encoderOptions{dataDir: s.DataDir, logger: e.logger}
	text, err := openEncoder(ctx, cmp.Or(s.NextTextEncoder, s.TextEncoder), embed.Text, options)
	if err != nil {
		return nil, nil, fmt.Errorf("next: %w", err)
	}
	e.closers = append(e.closers, text.close)
	image, err := openEncoder(ctx, cmp.Or(s.NextImageEncoder, s.ImageEncoder), embed.Image, options)
	if err != nil {
		return nil, nil, fmt.Errorf("next: %w", err)
	}
	e.closers = append(e.closers, image.close)
	next = &embed.Encoders{Text: text.Embedder, Image: image.Embedder}
	if next.Space, err = embed.NewSpace(next.Text.Model(), next.Image.Model(), cmp.Or(s.NextTextWeight, s.TextWeight)); err != nil {
		return nil, nil, fmt.Errorf("next: %w", err)
	}
	if next.Space.Name() == e.space.Name() {
		return nil, nil, fmt.Errorf("--next-…: the same encoders and weight as now, collection %s: %w", e.space.Name(), upnext.ErrInvalid)
	}
	return next, text.query, nil
}

// upgrade fills the collection that follows, until ctx ends.
func (srv *server) upgrade(ctx context.Context) error {
	u := &ingest.Upgrade{Pipeline: srv.pipeline, Rate: srv.settings.UpgradeRate, Auto: srv.settings.UpgradePromote == "auto"}
	return u.Run(ctx)
}
