// Package evals measures content quality by fixed protocols on public data: the
// same passages, encoder and understanding as ingest, and truths that neither
// has seen.
package evals

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"upnext"
	"upnext/embed"
	"upnext/understand"
)

// Protocols are the names that Run knows.
var Protocols = []string{"ted", "topics", "typos"}

// Evaluation is what a protocol is run with.
type Evaluation struct {
	Text          embed.Embedder
	Understand    understand.Understander // needed by topics
	Limit         int                     // items read of each data set; 0 is all of them
	Titles        []Titles                // catalogues that typos measures beside those it reads
	Seed          uint64                  // of the mistakes of typos
	NoTranscripts bool                    // ted reads no transcripts: a fourteenth of the texts
	Progress      func(done, total int)   // texts embedded of a row; may be nil, called by one goroutine at a time
}

// Report is a protocol's table.
type Report struct {
	Protocol string `json:"protocol"`
	Model    string `json:"model"` // the text encoder
	Limit    int    `json:"limit,omitempty"`
	Seed     uint64 `json:"seed,omitempty"` // of typos
	Rows     []Row  `json:"rows"`
}

// Row is one measured value.
type Row struct {
	Name   string  `json:"name"`   // what was measured
	Metric string  `json:"metric"` // recall_at_10, macro_f1, precision, recall; of typos see there
	Value  float64 `json:"value"`
	Items  int     `json:"items"`             // that the value is a mean or a count over
	Labels int     `json:"classes,omitempty"` // that a mean of F1 is over
}

// MarshalJSON writes the row as it is and, as the tables of trials have it, its
// name as "model" and its value under the metric's name, "recall@10".
func (r Row) MarshalJSON() ([]byte, error) {
	type plain Row
	row, err := json.Marshal(plain(r))
	if err != nil {
		return nil, err
	}
	more, err := json.Marshal(map[string]any{"model": r.Name, strings.ReplaceAll(r.Metric, "_at_", "@"): r.Value})
	if err != nil {
		return nil, err
	}
	return slices.Concat(row[:len(row)-1], []byte(","), more[1:]), nil
}

// Run measures by the protocol on the data in dir: a data set's own folder, or
// the folder above it. Equal data, encoder and Limit give equal reports.
func (e Evaluation) Run(ctx context.Context, protocol, dir string) (Report, error) {
	report := Report{Protocol: protocol, Model: e.Text.Model().ID, Limit: e.Limit}
	var err error
	switch protocol {
	case "ted":
		report.Rows, err = e.ted(ctx, dir)
	case "topics":
		report.Rows, err = e.topics(ctx, dir)
	case "typos":
		report.Seed = e.Seed
		report.Rows, err = e.typos(ctx, dir)
	default:
		return Report{}, fmt.Errorf("protocol %q: there are %s: %w", protocol, strings.Join(Protocols, ", "), upnext.ErrInvalid)
	}
	if err != nil {
		return Report{}, fmt.Errorf("evaluate %s: %w", protocol, err)
	}
	return report, nil
}

// Write prints the table: a line for each thing measured, a column a metric.
func (r Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range r.lines() {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

// Markdown writes the same table for docs/results.md.
func (r Report) Markdown(out io.Writer) error {
	var b strings.Builder
	for i, line := range r.lines() {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	_, err := io.WriteString(out, b.String()+"\n")
	return err
}

// lines are the table's cells, its heads first. A metric that a thing was not
// measured by is empty.
func (r Report) lines() [][]string {
	title := r.Protocol + ", " + r.Model
	if r.Seed != 0 {
		title += fmt.Sprintf(", seed %d", r.Seed)
	}
	out := [][]string{{title, "items"}}
	for _, row := range r.Rows {
		at := slices.IndexFunc(out[1:], func(line []string) bool { return line[0] == row.Name }) + 1
		if at == 0 {
			at, out = len(out), append(out, []string{row.Name, strconv.Itoa(row.Items)})
		}
		column := slices.Index(out[0], row.Metric)
		if column < 0 {
			column, out[0] = len(out[0]), append(out[0], row.Metric)
		}
		for len(out[at]) <= column {
			out[at] = append(out[at], "")
		}
		out[at][column] = fmt.Sprintf("%.4f", row.Value)
	}
	for at := range out {
		out[at] = append(out[at], make([]string, len(out[0])-len(out[at]))...)
	}
	return out
}
