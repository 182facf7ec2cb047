package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"upnext"
)

// saveUpgrade is how often an upgrade's cost is kept while it runs.
const saveUpgrade = 5 * time.Second

// upgraded is what is kept of an upgrade beside the marks, as an object: its
// cost so far, over all processes, and what has happened.
type upgraded struct {
	Began     time.Time
	Full      time.Time `json:",omitzero"` // when it was first
	Promoted  time.Time `json:",omitzero"` // by itself
	Texts     int64
	Images    int64
	Busy      time.Duration
	PerSecond float64 // items of late
	Error     string  `json:",omitempty"` // why it waits
}

func upgradeKey(t upnext.Tenant, collection string) string {
	return prefixOf(t) + "upgrades/" + collection + ".json"
}

// load reads what earlier passes kept.
func (f *filling) load(ctx context.Context) error {
	p, b := f.upgrade.Pipeline, f.batch
	var err error
	if f.kept, err = p.upgraded(ctx, b.tenant, b.collection); err != nil {
		return err
	}
	f.written = f.kept
	f.former = Encoded{Texts: f.kept.Texts, Images: f.kept.Images, Busy: f.kept.Busy}
	if f.kept.Began.IsZero() {
		f.kept.Began = p.Now()
	}
	f.saved, f.last = time.Now(), f.base
	return nil
}

// keep writes the cost so far, where it has changed.
func (f *filling) keep(ctx context.Context) error {
	p, b := f.upgrade.Pipeline, f.batch
	now, took := b.lane.counts.read(), time.Since(f.saved)
	f.kept.Texts = f.former.Texts + now.Texts - f.base.Texts
	f.kept.Images = f.former.Images + now.Images - f.base.Images
	f.kept.Busy = f.former.Busy + now.Busy - f.base.Busy
	if n := now.Items - f.last.Items; n > 0 && took > 0 {
		f.kept.PerSecond = float64(n) / took.Seconds()
	}
	f.saved, f.last = time.Now(), now
	if f.kept == f.written {
		return nil
	}
	data, err := json.Marshal(f.kept)
	if err == nil {
		_, err = p.Blobs.Put(ctx, upgradeKey(b.tenant, b.collection), bytes.NewReader(data))
	}
	if err != nil {
		return fmt.Errorf("keep the upgrade's progress: %w", err)
	}
	f.written = f.kept
	return nil
}

// upgraded reads what is kept of an upgrade; the zero value where nothing is.
func (p *Pipeline) upgraded(ctx context.Context, t upnext.Tenant, collection string) (u upgraded, err error) {
	r, _, err := p.Blobs.Open(ctx, upgradeKey(t, collection), 0)
	if errors.Is(err, upnext.ErrNotFound) {
		return upgraded{}, nil
	}
	if err != nil {
		return upgraded{}, fmt.Errorf("progress of the upgrade: %w", err)
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := io.ReadAll(r)
	if err == nil {
		err = json.Unmarshal(data, &u)
	}
	if err != nil {
		return upgraded{}, fmt.Errorf("progress of the upgrade: %w", err)
	}
	return u, nil
}

// Progress says how a collection stands.
type Progress struct {
	Name     string
	Entries  int // that its index has
	Promoted bool
	Role     string // "main" or "next", by the encoders that fill it; "kept" where none do
	Text     string // the models' ids; empty where there are none
	Image    string
	Tally    upnext.Tally

	// Of an upgrade, over all processes and restarts:
	Began     time.Time
	Full      time.Time // when it was full for the first time
	Texts     int64     // passages embedded
	Images    int64     // pictures embedded
	Endpoint  time.Duration
	PerSecond float64       // items of late
	Remaining time.Duration // at that speed; 0 where it is not known
	Error     string        // why it waits
}

// Progress describes every collection of a tenant, by name. Any process may be
// asked, also one that fills none.
func (p *Pipeline) Progress(ctx context.Context, t upnext.Tenant) ([]Progress, error) {
	infos, err := p.Collections.List(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("collections of %s: %w", t, err)
	}
	all := make([]Progress, len(infos))
	for i, info := range infos {
		g := Progress{Name: info.Name, Entries: info.Len, Promoted: info.Promoted, Role: "kept"}
		for _, l := range p.lanes() {
			if l.Space.Name() != info.Name {
				continue
			}
			if g.Role = "next"; l.main {
				g.Role = "main"
			}
			if l.Text != nil {
				g.Text = l.Text.Model().ID
			}
			if l.Image != nil {
				g.Image = l.Image.Model().ID
			}
		}
		if g.Tally, err = p.Indexings.Tally(ctx, t, info.Name); err != nil {
			return nil, err
		}
		u, err := p.upgraded(ctx, t, info.Name)
		if err != nil {
			return nil, err
		}
		g.Began, g.Full, g.Texts, g.Images, g.Endpoint = u.Began, u.Full, u.Texts, u.Images, u.Busy
		if n := g.Tally.Pending(); n > 0 && g.Role == "next" {
			g.PerSecond, g.Error = u.PerSecond, u.Error
			if u.PerSecond > 0 {
				g.Remaining = time.Duration(float64(n) / u.PerSecond * float64(time.Second))
			}
		}
		all[i] = g
	}
	return all, nil
}
