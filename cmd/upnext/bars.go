package main

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"upnext"
)

// bars are the progress bars of one command. Where the output is no terminal
// each bar is one line at its end.
type bars struct {
	progress *mpb.Progress
	plain    io.Writer
}

func newBars(w io.Writer) *bars {
	if f, ok := w.(*os.File); !ok || !isatty.IsTerminal(f.Fd()) {
		return &bars{plain: w}
	}
	return &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))}
}

// wait draws every bar's end. Bars that never filled are dropped.
func (b *bars) wait() {
	if b.progress != nil {
		b.progress.Shutdown()
	}
}

// bar is one of them. Its total may grow.
type bar struct {
	bar   *mpb.Bar
	plain *plainBar
	said  atomic.Pointer[string]
}

type plainBar struct {
	mu          sync.Mutex
	w           io.Writer
	name        string
	start       time.Time
	done, total int64
	said        bool
}

func (b *bars) add(name string, total int64) *bar {
	if b.progress == nil {
		return &bar{plain: &plainBar{w: b.plain, name: name, start: time.Now(), total: total}}
	}
	drawn := &bar{}
	drawn.bar = b.progress.AddBar(total,
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: 28, C: decor.DindentRight}), decor.CountersNoUnit("%d / %d", decor.WC{W: 16})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6}), decor.Any(func(decor.Statistics) string { return drawn.noted() })),
	)
	return drawn
}

// note writes something behind the bar; on a plain one, behind its end.
func (b *bar) note(text string) { b.said.Store(&text) }

func (b *bar) noted() string {
	if text := b.said.Load(); text != nil {
		return *text
	}
	return ""
}

func (b *bar) step() { b.add(1) }
func (b *bar) add(n int64) {
	if b.bar != nil {
		b.bar.IncrInt64(n)
		return
	}
	b.plain.set(func(p *plainBar) { p.done += n }, b.noted())
}

// set says how far it is, and how far there is to go.
func (b *bar) set(done, total int64) {
	if b.bar != nil {
		b.bar.SetTotal(total, false)
		b.bar.SetCurrent(done)
		return
	}
	b.plain.set(func(p *plainBar) { p.done, p.total = done, total }, b.noted())
}

func (p *plainBar) set(change func(*plainBar), note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
	if p.done >= p.total && p.total > 0 && !p.said {
		p.said = true
		printf(p.w, "%s: %d in %.1f s%s\n", p.name, p.done, time.Since(p.start).Seconds(), note)
	}
}

// watchImport shows a running import until it has ended, and returns its end.
func watchImport(ctx context.Context, e *engines, t upnext.Tenant, id upnext.ImportID, b *bars) (upnext.Import, error) {
	shown := map[string]*bar{}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		imp, err := e.store.Imports.Import(ctx, t, id)
		if err != nil {
			return imp, err
		}
		showImport(imp, b, shown)
		switch imp.State {
		case upnext.Succeeded, upnext.Cancelled, upnext.Broken:
			return imp, nil
		}
		select {
		case <-ctx.Done():
			return imp, ctx.Err()
		case <-tick.C:
		}
	}
}

func showImport(imp upnext.Import, b *bars, shown map[string]*bar) {
	for _, stage := range imp.Stages {
		total := imp.Total
		if stage.Name == "events" {
			total = max(imp.Events, stage.Done) + stage.Failed
			if imp.EndedAt.IsZero() {
				total++ // how many there will be is not known before the end
			}
		}
		if total == 0 || stage.Done == 0 {
			continue
		}
		if shown[stage.Name] == nil {
			shown[stage.Name] = b.add(stage.Name, total)
		}
		shown[stage.Name].set(stage.Done+stage.Failed, max(total, stage.Done+stage.Failed))
	}
}
