package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"upnext"
	"upnext/train/archive"
)

// newArchive makes the archive; nil where there is none. Where one was made
// before, it stays to forget what is erased, also while --archive-every is 0.
func (e *engines) newArchive() (*archive.Archive, error) {
	s := e.settings
	if s.ArchiveEvery == 0 && s.ArchiveKey == "" && !fileExists(e.at("archive.key")) {
		return nil, nil
	}
	key, err := s.secret("--archive-key", s.ArchiveKey, "archive.key")
	if err != nil {
		return nil, err
	}
	settings := archive.DefaultSettings()
	settings.Every, settings.Context = s.ArchiveEvery, s.ArchiveContext
	if s.EventKeep > 0 {
		// What a viewer's taste is made of stays, or their blocks would be forgotten.
		settings.Keep.Latest = max(s.EventKeep, e.recommend.Settings.Remember)
		settings.Keep.For = time.Duration(s.EventDays) * 24 * time.Hour
	}
	a, err := archive.New(archive.Config{
		Blobs: e.blobs, Events: e.store.Events, Slates: e.store.Slates, Retention: e.store.Retention(), Locks: e.store.Locks,
		Tenants: e.tenants, Key: key, Settings: settings, Now: s.now, Logger: e.logger,
		Claim: func(t upnext.Tenant, token string) (upnext.SlateID, bool) {
			claim, err := e.recommend.Verify(t, token)
			return claim.Slate, err == nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("--archive-every: %w", err)
	}
	waiting := prometheus.NewDesc("upnext_archive_waiting", "Events and slates that are not yet archived.", []string{"tenant", "of"}, nil)
	e.metrics.MustRegister(collect{waiting, func(send func(value float64, labels ...string)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for _, t := range e.tenants() {
			if w, err := a.Waiting(ctx, t); err == nil {
				send(float64(w.Events), string(t), "events")
				send(float64(w.Slates), string(t), "slates")
			}
		}
	}})
	return a, nil
}

// tenants are those of the catalogue; where it cannot tell, the default one.
func (e *engines) tenants() []upnext.Tenant {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	tenants, err := e.store.Catalog.Tenants(ctx)
	if err != nil || len(tenants) == 0 {
		return []upnext.Tenant{upnext.DefaultTenant}
	}
	return tenants
}

// collect is a gauge with labels that is read when it is asked for.
type collect struct {
	desc *prometheus.Desc
	read func(send func(value float64, labels ...string))
}

// Describe is asked once.
func (c collect) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect reads it.
func (c collect) Collect(to chan<- prometheus.Metric) {
	c.read(func(value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, value, labels...)
	})
}
