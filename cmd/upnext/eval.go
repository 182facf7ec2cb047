package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"upnext"
	"upnext/cmd/upnext/demo"
	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/learn"
	"upnext/train/evals"
	"upnext/train/trials"
	"upnext/understand/zeroshot"
)

type evalCommand struct {
	Protocol      string            `help:"What to measure: ml1m-loo, gowalla, microlens50k, ml100k (models of behaviour), ml100k-http (a whole server by its API), cold (items nobody has seen), robust (fake viewers, lost and late events), ted (relevance of neighbours by content), topics (zero-shot topics) or typos (texts mistyped and said otherwise)." enum:"ml1m-loo,gowalla,microlens50k,ml100k,ml100k-http,cold,robust,ted,topics,typos" required:""`
	Data          string            `help:"Folder of the data sets, with ml-1m, ted-transcripts and so on in it." type:"existingdir" required:"" env:"UPNEXT_DATA"`
	Models        []string          `help:"Measure these only, by name, separated by commas; a wrong name is answered with those there are. Some take long and are measured only when named." placeholder:"NAME"`
	Seeds         int               `help:"Fit models that draw with so many seeds, from --seed on, and report their mean." default:"1" placeholder:"N"`
	Keep          string            `help:"Folder in which fitted models are kept: a later run of the same settings and data takes them from there." type:"existingdir" placeholder:"DIR"`
	Load          map[string]string `help:"Take models from files of artefacts in place of fitting them; what they were fitted on is yours to know." placeholder:"NAME=FILE;…"`
	Server        string            `help:"Address of the server that ml100k-http fills and measures, without items and events; none starts one here." placeholder:"URL"`
	Tuning        bool              `help:"Ask the cases that settings are chosen by instead of the test's."`
	Markdown      bool              `help:"Print the tables as Markdown."`
	NoTranscripts bool              `help:"Leave the talks' transcripts out (ted): for encoders that take long."`
	Limit         int               `help:"Look at this many items only, for a quick run (ted, topics, typos); 0 is all." default:"0"`
	File          string            `arg:"" optional:"" help:"With --json: write the JSON there and the tables to the standard output." type:"path"`
}

// Run measures and prints tables, or JSON; with a file both.
func (c *evalCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	if c.File != "" && !s.JSON {
		return fmt.Errorf("a file %s without --json: %w", c.File, upnext.ErrInvalid)
	}
	if c.Protocol == trials.ServedProtocol {
		return c.served(ctx, s, out)
	}
	text, err := openEncoder(ctx, s.TextEncoder, embed.Text, encoderOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.close()) }()
	shown := newBars(out.err)
	defer shown.wait()
	if slices.Contains(trials.Protocols, c.Protocol) {
		return c.behaviour(ctx, s, text.Embedder, shown, out)
	}
	labeller, err := builtin.Text()
	if err != nil {
		return err
	}
	understander, err := zeroshot.New(ctx, labeller)
	if err != nil {
		return err
	}
	titles, err := demoTitles()
	if err != nil {
		return err
	}
	bar := shown.add("embedding", 0)
	e := evals.Evaluation{Text: text.Embedder, NoTranscripts: c.NoTranscripts, Understand: understander, Limit: c.Limit, Titles: titles, Seed: s.Seed, Progress: func(done, total int) { bar.set(int64(done), int64(total)) }}
	report, err := e.Run(ctx, c.Protocol, c.Data)
	if err != nil {
		return err
	}
	if c.Markdown {
		return c.write(s, out, report, report.Markdown)
	}
	return c.write(s, out, report, report.Write)
}

// demoTitles are the titles of the demo's catalogue, by language: the one Chinese
// catalogue at hand.
func demoTitles() ([]evals.Titles, error) {
	items, err := demo.Items()
	if err != nil {
		return nil, err
	}
	titles := []evals.Titles{{Name: "demo titles", Language: "en"}, {Name: "demo titles", Language: "zh"}}
	for _, it := range items {
		for i := range titles {
			if it.Language == titles[i].Language {
				titles[i].Texts = append(titles[i].Texts, it.Title)
			}
		}
	}
	return titles, nil
}

// watching shows each phase of each model as a bar.
func watching(shown *bars) func(model string, step learn.Step) {
	bars := map[string]*bar{}
	return func(model string, step learn.Step) {
		name := model + ": " + step.Phase
		if bars[name] == nil {
			bars[name] = shown.add(name, int64(step.Total))
		}
		bars[name].set(int64(step.Done), int64(step.Total))
	}
}

// behaviour measures models that learn from behaviour.
func (c *evalCommand) behaviour(ctx context.Context, s *Settings, text embed.Embedder, shown *bars, out console) (err error) {
	t := trials.Trial{Models: c.Models, Seed: s.Seed, Seeds: c.Seeds, Tuning: c.Tuning, Keep: c.Keep, Load: c.Load, Text: text}
	if c.Protocol == "cold" {
		image, err := openEncoder(ctx, s.ImageEncoder, embed.Image, encoderOptions{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, image.close()) }()
		t.Image = image.Embedder
	}
	t.Watch = watching(shown)
	table, err := t.Run(ctx, c.Protocol, c.Data)
	if err != nil {
		return err
	}
	if c.Markdown {
		return c.write(s, out, table, table.Markdown)
	}
	return c.write(s, out, table, table.Write)
}

// write prints the report as it is asked for.
func (c *evalCommand) write(s *Settings, out console, report any, print func(io.Writer) error) error {
	if !s.JSON {
		return print(out.out)
	}
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if raw = append(raw, '\n'); c.File == "" {
		_, err = out.out.Write(raw)
		return err
	}
	if err := os.WriteFile(c.File, raw, 0o600); err != nil {
		return err
	}
	return print(out.out)
}
