package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// Bench is what is to be measured: a server over a place that the world was put
// in and that nothing else uses.
type Bench struct {
	World   *World
	Load    Load
	During  time.Duration // of the load; each step to saturation takes a sixth of it
	Sources []string      // of candidates, by name: those that bring nothing are named
	Server  *exec.Cmd     // not yet started
	Debug   string        // URL at which the server serves its profiles
	Watch   func(step string)
}

// run is a bench under way.
type run struct {
	Bench
	server *Server
	serial atomic.Int64
	report Report
}

// How the load grows on the way to saturation, in how many steps at most, and
// the slowest 99 of 100 answers that a load may have.
const (
	growth    = 1.2
	mostSteps = 24
	saturated = 100 * time.Millisecond
)

// Run starts the server, measures and stops it. What was measured is in the
// report also where some of it failed: Failures says what did.
func (b Bench) Run(ctx context.Context) (report Report, err error) {
	r := &run{Bench: b, report: Report{Machine: Machine(), Seed: b.World.Seed, Items: b.World.Items, Viewers: b.World.Viewers, Load: b.Load, Seconds: b.During.Seconds()}}
	r.serial.Store(time.Now().UnixMicro()) // ids must be new to a place that was measured before
	b.Watch("start")
	if r.server, err = Start(ctx, b.Server); err != nil {
		return r.report, err
	}
	defer func() { err = errors.Join(err, r.server.Stop()) }()
	r.report.ReadyMS = ms(r.server.Ready)
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"load", r.loaded}, {"requests alone", r.alone}, {"saturation", r.saturate}, {"events alone", r.flooded},
	} {
		b.Watch(step.name)
		if err := step.run(ctx); err != nil {
			return r.report, fmt.Errorf("%s: %w", step.name, err)
		}
		if ctx.Err() != nil {
			return r.report, ctx.Err()
		}
	}
	return r.report, nil
}

// loaded is the load that the targets are about.
func (r *run) loaded(ctx context.Context) error {
	p := r.newPhase(0)
	felt := probes{phase: p}
	before, err := r.server.usage(ctx)
	if err != nil {
		return err
	}
	var loading sync.WaitGroup
	probing, stop := context.WithCancel(ctx)
	var spent map[string]float64
	var failed error
	loading.Go(func() { felt.run(probing, r.Load.Requests) })
	loading.Go(func() { spent, failed = shares(ctx, r.Debug, r.During*3/4) })
	p.run(ctx, r.Load, r.During)
	after, err := r.server.usage(ctx)
	memory, _ := ReadMemory(r.server.PID)
	stop()
	loading.Wait()
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	r.report.loaded(p, after.since(before), memory, spent, r.Sources)
	r.report.EventToEffect, r.report.ItemToEffect = effectOf(felt.events), effectOf(felt.items)
	r.report.EventToEffectP99, r.report.ItemToEffectP99 = r.report.EventToEffect.P99, r.report.ItemToEffect.P99
	return nil
}

// alone is half of the requests with nothing beside them: what they cost.
func (r *run) alone(ctx context.Context) error {
	p := r.newPhase(1)
	before, err := r.server.usage(ctx)
	if err != nil {
		return err
	}
	p.run(ctx, Load{Requests: r.Load.Requests / 2}, r.During/6)
	after, err := r.server.usage(ctx)
	if err != nil {
		return err
	}
	r.report.alone(p, after.since(before))
	return nil
}

// saturate offers ever more requests, with the events and items beside them,
// until 99 of 100 take more than 100 ms or one fails; where the first load is too
// much already, ever fewer until one is borne.
func (r *run) saturate(ctx context.Context) error {
	rate, borne := cmp.Or(r.Load.Requests, 100), 0.0
	for n := range mostSteps {
		p := r.newPhase(2 + uint64(n))
		p.run(ctx, Load{rate, r.Load.Events, r.Load.Items}, r.During/6)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		step := stepOf(rate, p)
		r.report.Steps = append(r.report.Steps, step)
		switch {
		case step.Borne && rate > borne:
			borne = rate
			if n > 0 && r.report.Steps[n-1].Rate > rate { // on the way down
				r.report.SaturationRPS = borne
				return nil
			}
			rate *= growth
		case borne > 0:
			r.report.SaturationRPS = borne
			return nil
		default:
			rate /= growth
		}
	}
	r.report.SaturationRPS = borne
	return nil
}

// flooded is as many events as the server takes.
func (r *run) flooded(ctx context.Context) error {
	for i, f := range []flood{batched, singles} {
		p := r.newPhase(uint64(100 + i))
		perSecond, lag := f.run(ctx, p, r.During)
		if i == 0 {
			r.report.EventsBatched, r.report.FoldLagMS = perSecond, ms(lag)
		} else {
			r.report.EventsSingle = perSecond
		}
		r.report.fail(p)
	}
	return nil
}
