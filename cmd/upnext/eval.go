package main

import (
	"context"
	"errors"

	"upnext/embed"
	"upnext/embed/builtin"
	"upnext/train/evals"
	"upnext/understand/zeroshot"
)

type evalCommand struct {
	Protocol      string `help:"What to measure: ted (relevance of neighbours by content) or topics (zero-shot topics)." enum:"ted,topics" required:""`
	Data          string `help:"Folder of the data sets, with ted-transcripts and ml-1m in it." type:"existingdir" required:"" env:"UPNEXT_DATA"`
	NoTranscripts bool   `help:"Leave the talks' transcripts out (ted): for encoders that take long."`
	Limit         int    `help:"Look at this many items only, for a quick run; 0 is all." default:"0"`
}

// Run measures and prints a table, or JSON.
func (c *evalCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	text, err := openEncoder(ctx, s.TextEncoder, embed.Text, encoderOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.close()) }()
	labeller, err := builtin.Text()
	if err != nil {
		return err
	}
	understander, err := zeroshot.New(ctx, labeller)
	if err != nil {
		return err
	}
	shown := newBars(out.err)
	defer shown.wait()
	bar := shown.add("embedding", 0)
	e := evals.Evaluation{Text: text.Embedder, NoTranscripts: c.NoTranscripts, Understand: understander, Limit: c.Limit, Progress: func(done, total int) { bar.set(int64(done), int64(total)) }}
	return evals.Run(ctx, e, c.Protocol, c.Data, s.JSON, out.out)
}
