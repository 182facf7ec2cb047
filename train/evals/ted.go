package evals

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"upnext"
	"upnext/embed"
	"upnext/ingest/passages"
	"upnext/learn/relevance"
	"upnext/train/datasets"
)

// talk is a line of ted_talks.jsonl.gz.
type talk struct {
	ID          int      `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Related     []int    `json:"related_talks"`
	Transcript  []string `json:"transcript"` // paragraphs
}

func (t talk) item() upnext.Item {
	return upnext.Item{ID: upnext.ItemID(strconv.Itoa(t.ID)), Kind: "video", Title: t.Title, Description: t.Description, Tags: t.Tags}
}

// reported says whether a talk belongs to the half that values are reported
// of: the odd ones. The weights of passages and the scales of zeroshot were
// chosen on the even ones.
func reported(i int) bool { return i%2 == 1 }

// ted measures how many of the six talks that the site's editors link from a
// talk are among its ten nearest by content.
func (e Evaluation) ted(ctx context.Context, dir string) ([]Row, error) {
	talks, err := readTalks(dir, e.Limit)
	if err != nil {
		return nil, err
	}
	queries, related := links(talks)
	if len(queries) == 0 {
		return nil, fmt.Errorf("%d talks without a link among them: %w", len(talks), upnext.ErrInvalid)
	}
	if e.NoTranscripts {
		for i := range talks {
			talks[i].Transcript = nil
		}
	}
	whole := make([][]passages.Passage, len(talks))
	for i, t := range talks {
		whole[i] = passages.Cut(t.item(), strings.Join(t.Transcript, "\n"))
	}
	embedded, err := e.pool(ctx, whole)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, part := range []struct {
		name string
		keep func(talk) (upnext.Item, bool) // what is read of it, and whether its transcript is
	}{
		{"title", func(t talk) (upnext.Item, bool) { return upnext.Item{Title: t.Title}, false }},
		{"title + tags", func(t talk) (upnext.Item, bool) { return upnext.Item{Title: t.Title, Tags: t.Tags}, false }},
		{"title + tags + description", func(t talk) (upnext.Item, bool) { return t.item(), false }},
		{"title + tags + transcript", func(t talk) (upnext.Item, bool) { return upnext.Item{Title: t.Title, Tags: t.Tags}, true }},
		{"title + tags + description + transcript", func(t talk) (upnext.Item, bool) { return t.item(), true }},
	} {
		if _, spoken := part.keep(talks[0]); spoken && e.NoTranscripts {
			continue
		}
		items := make([]pooled, len(talks))
		for i, t := range talks {
			item, spoken := part.keep(t)
			transcript := ""
			if spoken {
				transcript = strings.Join(t.Transcript, "\n")
			}
			items[i].vec = repool(passages.Cut(item, transcript), whole[i], embedded[i])
		}
		var sum float64
		for i, near := range neighbours(items, queries, 10) {
			sum += relevance.Recall(near, related[i], 10)
		}
		rows = append(rows, Row{Name: part.name, Metric: "recall_at_10", Value: sum / float64(len(queries)), Items: len(queries)})
	}
	return rows, nil
}

// repool pools some of an item's passages, whose vectors are among those of all.
func repool(some, all []passages.Passage, of pooled) []float32 {
	var vectors [][]float32
	var weights []float32
	for _, p := range some {
		at := slices.IndexFunc(all, func(q passages.Passage) bool { return q.Text == p.Text })
		vectors, weights = append(vectors, of.passages[at]), append(weights, p.Weight)
	}
	vec, err := embed.Pool(vectors, weights)
	if err != nil {
		return nil // nothing to find it by
	}
	return vec
}

// links returns the talks of the reported half that link to others of the
// talks, and to which, by position.
func links(talks []talk) (queries []int, related [][]int) {
	at := map[int]int{}
	for i, t := range talks {
		at[t.ID] = i
	}
	for i, t := range talks {
		var to []int
		for _, id := range t.Related {
			if j, ok := at[id]; ok && j != i {
				to = append(to, j)
			}
		}
		if reported(i) && len(to) > 0 {
			queries, related = append(queries, i), append(related, to)
		}
	}
	return queries, related
}

// readTalks reads up to limit talks (0: all) of dir or dir/ted-transcripts.
func readTalks(dir string, limit int) ([]talk, error) {
	file, err := datasets.Open(dir, "ted-transcripts", "ted_talks.jsonl.gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	var talks []talk
	lines := json.NewDecoder(unzipped)
	for limit == 0 || len(talks) < limit {
		var t talk
		if err := lines.Decode(&t); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: talk %d: %w: %w", file.Name(), len(talks)+1, err, upnext.ErrInvalid)
		}
		talks = append(talks, t)
	}
	return talks, nil
}
