package evals

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"upnext"
	"upnext/ingest/passages"
	"upnext/learn/relevance"
	"upnext/train/datasets"
)

//go:embed paraphrases.tsv
var paraphraseLines string

// Titles are the titles of a catalogue in one language, "en" or "zh".
type Titles struct {
	Name, Language string
	Texts          []string
}

// question is a text that ought to find one of a set, said otherwise.
type question struct {
	text string
	of   int
}

// typos measures how far a text's vector moves when the text is mistyped or said
// in other words, and whether the text is still found by what it has become, among
// all of its set. The sets are TED's titles, those given, and films' plots, asked
// for by what another has written of the film. A set that is not in dir is left out.
func (e Evaluation) typos(ctx context.Context, dir string) ([]Row, error) {
	talks, err := readTalks(dir, e.Limit)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return nil, err
	}
	films, err := datasets.Retold(dir)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return nil, err
	}
	ted := Titles{Name: "ted titles", Language: "en"}
	for _, t := range talks {
		ted.Texts = append(ted.Texts, t.Title)
	}
	var plots []string
	var summaries []question
	for _, f := range films {
		if !copied(f.Plot, f.Retold) {
			plots, summaries = append(plots, f.Plot), append(summaries, question{f.Retold, len(plots)})
		}
	}
	var rows []Row
	for _, set := range append([]Titles{ted}, e.Titles...) {
		set.Texts = set.Texts[:e.limited(len(set.Texts))]
		more, err := e.ask(ctx, set.Name+", "+set.Language, "title", set.Texts, disturbed(set, e.Seed))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.Name, err)
		}
		rows = append(rows, more...)
	}
	n := e.limited(len(plots))
	more, err := e.ask(ctx, "film plots, en", "description", plots[:n], []asked{{"another's summary", summaries[:n]}})
	if rows = append(rows, more...); len(rows) == 0 && err == nil {
		err = fmt.Errorf("%s: no titles there: %w", dir, upnext.ErrNotFound)
	}
	return rows, err
}

func (e Evaluation) limited(n int) int {
	if e.Limit > 0 {
		return min(n, e.Limit)
	}
	return n
}

// asked are questions with what was done to them.
type asked struct {
	how       string
	questions []question
}

// disturbed are a set's titles under each disturbance of the language, those that
// have one by our paraphrase, and, for comparison, each by the next one's title,
// which has nothing to do with it.
func disturbed(set Titles, seed uint64) []asked {
	said, next := asked{how: "paraphrase, ours"}, asked{how: "the next one's title"}
	var out []asked
	for _, d := range disturbances(set.Language) {
		a := asked{how: d.name}
		for i, text := range set.Texts {
			// The same draws under each: typos of a tenth hold most of those of a twentieth.
			a.questions = append(a.questions, question{d.of(text, rand.New(rand.NewPCG(seed, uint64(i)))), i})
		}
		out = append(out, a)
	}
	for _, columns := range tsv(paraphraseLines) {
		if i := slices.Index(set.Texts, columns[0]); i >= 0 {
			said.questions = append(said.questions, question{columns[1], i})
		}
	}
	for i := range set.Texts {
		next.questions = append(next.questions, question{set.Texts[(i+1)%len(set.Texts)], i})
	}
	return append(out, said, next)
}

// ask measures questions of a set of texts, titles or descriptions; no rows for none.
func (e Evaluation) ask(ctx context.Context, set, field string, texts []string, all []asked) ([]Row, error) {
	vectorsOf := func(texts []string) ([][]float32, error) {
		cut := make([][]passages.Passage, len(texts))
		for i, text := range texts {
			it := upnext.Item{Title: text}
			if field == "description" {
				it = upnext.Item{Description: text}
			}
			cut[i] = passages.Cut(it, "")
		}
		return e.Vectors(ctx, cut)
	}
	vectors, err := vectorsOf(texts)
	if err != nil {
		return nil, err
	}
	words := indexWords(texts)
	var rows []Row
	for _, a := range all {
		asking := make([]string, len(a.questions))
		for i, q := range a.questions {
			asking[i] = q.text
		}
		by, err := vectorsOf(asking)
		if err != nil {
			return nil, err
		}
		rows = append(rows, answered(set+": "+a.how, a.questions, vectors, by, words)...)
	}
	return rows, nil
}

// answered are the rows of some questions, which by are the vectors of. One of
// which nothing is left has a cosine of 0 and finds nothing but by chance.
func answered(name string, questions []question, vectors, by [][]float32, words wordIndex) []Row {
	if len(questions) == 0 {
		return nil
	}
	var columns [5][]float64
	for m := range columns {
		columns[m] = make([]float64, len(questions))
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(questions); i = int(next.Add(1)) - 1 {
				of, cosines := questions[i].of, make([]float32, len(vectors))
				for k, v := range vectors {
					if v != nil && by[i] != nil {
						cosines[k] = dot(by[i], v)
					}
				}
				near, shared := standing(cosines, of), standing(words.scores(questions[i].text), of)
				for m, value := range []float64{float64(cosines[of]), near.Recall(1), near.Recall(10), shared.Recall(1), shared.Recall(10)} {
					columns[m][i] = value
				}
			}
		})
	}
	wg.Wait()
	rows := []Row{{Metric: "cosine"}, {Metric: "recall_at_1"}, {Metric: "recall_at_10"}, {Metric: "words_recall_at_1"}, {Metric: "words_recall_at_10"}}
	for m := range columns {
		rows[m].Value = relevance.Mean(columns[m])
	}
	slices.Sort(columns[0])
	rows = slices.Insert(rows, 1, Row{Metric: "cosine_p05", Value: columns[0][(len(questions)-1)/20]})
	for m := range rows {
		rows[m].Name, rows[m].Items = name, len(questions)
	}
	return rows
}

// standing is where one of the scored stands among all.
func standing(scores []float32, of int) relevance.Ranking {
	run := relevance.Run{Relevant: 1}
	for _, s := range scores {
		if s > scores[of] {
			run.Before++
		} else if s == scores[of] {
			run.Size++
		}
	}
	return relevance.Ranking{Candidates: len(scores), Relevant: 1, Runs: []relevance.Run{run}}
}
