package train

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"upnext"
	"upnext/embed/builtin"
	"upnext/ingest/passages"
	"upnext/learn"
	"upnext/learn/split"
	"upnext/train/datasets"
	"upnext/train/evals"
)

// TestContentOfFilms: on MovieLens 1M, films that are new are found better by
// the maps into EASE's and Ridge's places than by likeness to what the viewer took
// to. It logs what docs/results.md says.
func TestContentOfFilms(t *testing.T) {
	data := os.Getenv("UPNEXT_DATA")
	if data == "" {
		t.Skip("UPNEXT_DATA is not set")
	}
	dir := filepath.Join(data, "ml-1m")
	b, vectors := films(t, dir)
	tr := &Trainer{
		Validated: 2000, Seed: 1, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
		Content: func(_ context.Context, _ upnext.Tenant, ids []upnext.ItemID) (string, [][]float32, error) {
			page := make([][]float32, len(ids))
			for i, id := range ids {
				page[i] = vectors[id]
			}
			return "films", page, nil
		},
	}
	rest, cases := tr.holdOut(b.log)
	for _, names := range [][]string{{"ease"}, {"ials"}, {"ease", "ridge", "popular"}} {
		fitters, err := Fitters(b.log, names, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		tell := func(string, learn.Step) {}
		parts, err := tr.fit(t.Context(), fitters, rest, cases[:200], tell)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			p.part.Weight = 1
		}
		began := time.Now()
		c, err := tr.tryContent(t.Context(), "", b, rest, cases, parts)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %+v in %v", names, c.said(), time.Since(began))
		if names[0] == "ease" && c == nil {
			t.Errorf("%v: the maps were not kept", names)
		}
		if len(names) > 1 {
			continue
		}
		// As if the new items had not been there: the models are fitted without them.
		var sum compared
		for fold := range coldFolds {
			if c == nil {
				break
			}
			isNew := make([]bool, len(b.items))
			for _, i := range c.fold(tr.Seed, fold) {
				isNew[i] = true
			}
			strict, err := tr.fit(t.Context(), fitters, split.Without(rest, isNew), cases[:200], tell)
			if err != nil {
				t.Fatal(err)
			}
			strict[0].part.Weight = 1
			if err := tr.tryFold(t.Context(), b, rest, cases, strict, c, strict[0].model, fold, &sum); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%v fitted without the new items: NDCG@10 %.4f of %d", names, mean(sum.mapped), len(sum.mapped))
	}
}

// films are ML-1M's acts and its films' texts.
func films(t *testing.T, dir string) (b behaviour, vectors map[upnext.ItemID][]float32) {
	t.Helper()
	set, err := datasets.ML1M(dir)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := datasets.FilmIDs(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := datasets.Films(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := builtin.Text()
	if err != nil {
		t.Fatal(err)
	}
	about := map[string][]passages.Passage{}
	for _, f := range list {
		about[f.ID] = passages.Cut(upnext.Item{Title: f.Title, Description: f.Plot, Tags: f.Genres}, "")
	}
	texts := make([][]passages.Passage, len(set.IDs))
	for i, id := range set.IDs {
		b.items, texts[i] = append(b.items, upnext.ItemID(ids[id])), about[ids[id]]
	}
	made, err := evals.Evaluation{Text: text}.Vectors(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	b.log, vectors = set.Log, map[upnext.ItemID][]float32{}
	for i, id := range b.items {
		vectors[id] = made[i]
	}
	return b, vectors
}
