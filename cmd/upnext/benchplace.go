package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"upnext"
	"upnext/bench"
	"upnext/embed"
	"upnext/ingest"
	"upnext/serve/api"
)

// benchPlace is a made-up world in a data directory, trained on. What it holds
// is said in a file beside it, which is written when all is done.
type benchPlace struct {
	command *benchCommand
	seed    uint64
	root    string
	out     console
	bars    *bars

	world *bench.World
	note  benchNote
	kept  bool // by an earlier run
}

// benchNote is what a place holds, and how it was made.
type benchNote struct {
	Items, Users int
	Seed         uint64
	Asked        []string // models
	Now          time.Time

	Collection    string
	Recall        float64
	FillSeconds   float64
	TrainSeconds  float64
	TrainedModels []string
}

func (p *benchPlace) data() string { return filepath.Join(p.root, "data") }
func (p *benchPlace) file() string { return filepath.Join(p.root, "world.json") }

// make fills the data directory and trains on it, unless an earlier run has. A
// folder with anything else in it is left alone.
func (p *benchPlace) make(ctx context.Context) error {
	want := benchNote{Items: p.command.Items, Users: p.command.Users, Seed: p.seed, Asked: p.command.Models, Now: time.Now()}
	raw, err := os.ReadFile(p.file())
	switch {
	case err == nil:
		var have benchNote
		if err := json.Unmarshal(raw, &have); err != nil {
			return fmt.Errorf("--keep: %s: %v: %w", p.file(), err, upnext.ErrInvalid)
		}
		if have.Items != want.Items || have.Users != want.Users || have.Seed != want.Seed || !slices.Equal(have.Asked, want.Asked) {
			return fmt.Errorf("--keep %s: holds %d items, %d users, seed %d, models %v: name another folder: %w",
				p.root, have.Items, have.Users, have.Seed, have.Asked, upnext.ErrConflict)
		}
		p.note, p.kept = have, true
	case errors.Is(err, os.ErrNotExist):
		if entries, err := os.ReadDir(p.root); err == nil && len(entries) > 0 {
			return fmt.Errorf("--keep %s: not empty, and without a whole world: remove it, or name another folder: %w", p.root, upnext.ErrConflict)
		}
		p.note = want
	default:
		return fmt.Errorf("--keep: %w", err)
	}
	if p.kept {
		p.world = p.note.world()
		return nil
	}
	if err := p.fill(ctx); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if err := p.train(ctx); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return replaceFile(p.file(), func(w io.Writer) error { return json.NewEncoder(w).Encode(p.note) })
}

// world is the one that a note is about.
func (n benchNote) world() *bench.World {
	return bench.NewWorld(n.Seed, n.Items, n.Users, embed.ContentDim, n.Now)
}

// fill writes the world, and measures the index while it is at hand.
func (p *benchPlace) fill(ctx context.Context) (err error) {
	began := time.Now()
	p.world = p.note.world()
	e, err := open(ctx, &Settings{DataDir: p.data(), Listen: "127.0.0.1:0", Seed: p.seed, SlateDays: 7}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	p.note.Collection = e.space.Name()
	index, err := e.indexes.Create(ctx, upnext.DefaultTenant, p.note.Collection, ingest.Spec(e.space.Dim(), nil))
	if err != nil {
		return err
	}
	if err := e.indexes.Promote(ctx, upnext.DefaultTenant, p.note.Collection); err != nil {
		return err
	}
	to := bench.Place{
		Catalog: e.store.Catalog, Understandings: e.store.Understandings, Indexings: e.store.Indexings, Events: e.store.Events,
		Index: index, Name: p.note.Collection,
	}
	bar := p.bars.add("filling", int64(p.world.Items+p.world.Viewers))
	done := 0
	if err := p.world.Put(ctx, upnext.DefaultTenant, to, func(n int) {
		done += n
		bar.set(int64(done), int64(p.world.Items+p.world.Viewers))
	}); err != nil {
		return err
	}
	p.note.FillSeconds = time.Since(began).Seconds()
	p.note.Recall, err = p.world.Recall(ctx, index)
	return err
}

// train trains as a user does, and brings what comes of it into use also where
// it does not beat popularity: what models cost shall be in the figures.
func (p *benchPlace) train(ctx context.Context) error {
	began := time.Now()
	args := []string{"train"}
	if len(p.command.Models) > 0 {
		args = append(args, "--models", strings.Join(p.command.Models, ","))
	}
	var run api.TrainingRun
	if err := p.ask(ctx, &run, args...); err != nil {
		return err
	}
	if run.Bundle == nil {
		return fmt.Errorf("run %s made no bundle: %w", run.ID, upnext.ErrUnavailable)
	}
	for _, m := range run.Bundle.Models {
		p.note.TrainedModels = append(p.note.TrainedModels, m.Name)
	}
	if err := p.ask(ctx, new(any), "models", "promote", run.Bundle.Version); err != nil {
		return err
	}
	p.note.TrainSeconds = time.Since(began).Seconds()
	return nil
}

// ask runs this program on the data directory and reads what it prints as JSON.
func (p *benchPlace) ask(ctx context.Context, into any, args ...string) error {
	cmd, err := ownCommand(ctx, p.out.err, append(args, "--json", "--data-dir", p.data(), "--log", "warn", "--seed", strconv.FormatUint(p.seed, 10))...)
	if err != nil {
		return err
	}
	said, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return json.Unmarshal(said, into)
}

// tell adds what the report cannot know.
func (p *benchPlace) tell(r *bench.Report) {
	r.Recall, r.FillSeconds, r.TrainSeconds = p.note.Recall, p.note.FillSeconds, p.note.TrainSeconds
	r.Models, r.Kept = p.note.TrainedModels, p.kept
}
