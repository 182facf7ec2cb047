package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"upnext"
	"upnext/ingest"
	"upnext/ingest/rivals"
	"upnext/ingest/rivals/gorse"
	"upnext/ingest/rivals/recombee"
)

type importCommand struct {
	Gorse    gorseCommand    `cmd:"" help:"From Gorse: its REST API, a dump of gorse-cli, or a folder with users, items and feedback as .jsonl or .csv."`
	Recombee recombeeCommand `cmd:"" help:"From Recombee: a folder with items, users, detail_views, purchases, ratings, cart_additions, bookmarks, view_portions as .json, .jsonl or .csv."`
}

// moving is what every move from another system is told.
type moving struct {
	Kind string            `help:"What the items are: video, short, music, live, game, ad, article, product or person." enum:"video,short,music,live,game,ad,article,product,person" default:"video"`
	Map  map[string]string `help:"What a type of feedback becomes; TYPE=- drops it: like=like,read=view." mapsep:"," placeholder:"TYPE=EVENT,…"`
	Dry  bool              `help:"Convert and count only." name:"dry-run"`
}

type gorseCommand struct {
	moving
	Source string  `arg:"" help:"http://HOST:PORT, a dump file, or a folder."`
	Key    string  `help:"Key of Gorse's API." env:"GORSE_API_KEY" placeholder:"KEY"`
	Lowest float64 `help:"The lowest rating there is." default:"1" name:"rating-lowest"`
	Best   float64 `help:"The best rating there is." default:"5" name:"rating-best"`
}

// Run moves from Gorse.
func (c *gorseCommand) Run(ctx context.Context, s *Settings, out console) error {
	mapping, err := gorse.Defaults().With(c.Map)
	if err != nil {
		return err
	}
	r := gorse.Reader{Source: c.Source, Key: c.Key, Kind: upnext.Kind(c.Kind), Lowest: c.Lowest, Best: c.Best}
	return c.move(ctx, s, out, "gorse", c.Source, mapping, r.Read)
}

type recombeeCommand struct {
	moving
	Source   string            `arg:"" help:"The folder." type:"existingdir"`
	Property map[string]string `help:"Which property is which field of an item: title=name_en,tags=topics." mapsep:"," placeholder:"FIELD=PROPERTY,…"`
}

// Run moves from Recombee.
func (c *recombeeCommand) Run(ctx context.Context, s *Settings, out console) error {
	mapping, err := recombee.Defaults().With(c.Map)
	if err != nil {
		return err
	}
	r := &recombee.Reader{Folder: c.Source, Kind: upnext.Kind(c.Kind), Properties: c.Property}
	return c.move(ctx, s, out, "recombee", c.Source, mapping, r.Read)
}

// move converts what the reader finds into files of the data directory, and
// imports these: items, then viewers, then events. All ids stay the same from
// one run to the next: after a crash, running it again goes on.
func (m moving) move(ctx context.Context, s *Settings, out console, system, source string, mapping rivals.Mapping, read func(context.Context, *rivals.Sink) error) error {
	name := fmt.Sprintf("%s-%x", system, sha256.Sum256([]byte(source)))[:len(system)+17]
	dir, err := filepath.Abs(filepath.Join(s.DataDir, "moved", name))
	if err != nil {
		return err
	}
	count, err := convert(ctx, dir, mapping, read)
	if err != nil {
		return err
	}
	printf(out.err, "%s: %d items, %d viewers, %d events; %d dropped as asked, %d could not be read\n",
		system, count.Items, count.Viewers, count.Events, count.Dropped, count.Failed)
	if count.Failed > 0 {
		printf(out.err, "why not: %s\n", filepath.Join(dir, "problems.ndjson"))
	}
	if m.Dry {
		return nil
	}
	for _, part := range []struct {
		lines        int64
		file, format string
	}{
		{count.Items, "items.ndjson", ingest.NDJSON},
		{count.Viewers, "viewers.ndjson", ingest.Viewers},
		{count.Events, "events.ndjson", ingest.Events},
	} {
		if part.lines == 0 {
			continue
		}
		c := ingestCommand{Source: filepath.Join(dir, part.file), Format: part.format, OnMissing: string(upnext.KeepMissing)}
		if err := c.Run(ctx, s, out); err != nil {
			return fmt.Errorf("%s: %w", part.file, err)
		}
	}
	return nil
}

// convert writes the files of a move. They take the place of an earlier run's
// when all are whole.
func convert(ctx context.Context, dir string, mapping rivals.Mapping, read func(context.Context, *rivals.Sink) error) (rivals.Count, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return rivals.Count{}, err
	}
	sink := &rivals.Sink{Mapping: mapping}
	var files []*os.File
	var outs []*bufio.Writer
	names := []string{"items.ndjson", "viewers.ndjson", "events.ndjson", "problems.ndjson"}
	var err error
	for i, to := range []*io.Writer{&sink.Items, &sink.Viewers, &sink.Events, &sink.Problems} {
		f, ferr := os.Create(filepath.Join(dir, names[i]+".part"))
		if ferr != nil {
			err = errors.Join(err, ferr)
			break
		}
		w := bufio.NewWriterSize(f, 1<<20)
		files, outs, *to = append(files, f), append(outs, w), w
	}
	if err == nil {
		err = read(ctx, sink)
	}
	if err == nil {
		err = sink.Check()
	}
	for i, f := range files {
		if err == nil {
			err = outs[i].Flush()
		}
		err = errors.Join(err, f.Close())
	}
	for i, f := range files {
		name := filepath.Join(dir, names[i])
		// One that is as it was stays: an import of it goes on where it was.
		if err == nil && !sameContent(f.Name(), name) {
			err = os.Rename(f.Name(), name)
		} else {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}
	return sink.Count, err
}

// sameContent says whether both files are there and equal.
func sameContent(one, other string) bool {
	a, err := os.Open(one)
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := os.Open(other)
	if err != nil {
		return false
	}
	defer b.Close()
	bufA, bufB := make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false
		}
		if errA != nil || errB != nil {
			ends := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
			return ends(errA) && ends(errB)
		}
	}
}
