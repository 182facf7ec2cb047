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
	"strings"
	"text/tabwriter"

	"upnext"
	"upnext/embed"
	"upnext/understand"
)

// Protocols are the names that Run knows.
var Protocols = []string{"ted", "topics"}

// Evaluation is what a protocol is run with.
type Evaluation struct {
	Text          embed.Embedder
	Understand    understand.Understander // needed by topics
	Limit         int                     // items read of each data set; 0 is all of them
	NoTranscripts bool                    // ted reads no transcripts: a fourteenth of the texts
	Progress      func(done, total int)   // texts embedded of a row; may be nil, called by one goroutine at a time
}

// Report is a protocol's table.
type Report struct {
	Protocol string `json:"protocol"`
	Model    string `json:"model"` // the text encoder
	Limit    int    `json:"limit,omitempty"`
	Rows     []Row  `json:"rows"`
}

// Row is one measured value.
type Row struct {
	Name   string  `json:"name"`   // what was measured
	Metric string  `json:"metric"` // recall_at_10, macro_f1, precision or recall
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
	var metrics, names []string
	cells := map[[2]string]string{}
	items := map[string]int{}
	for _, row := range r.Rows {
		if !slices.Contains(metrics, row.Metric) {
			metrics = append(metrics, row.Metric)
		}
		if !slices.Contains(names, row.Name) {
			names = append(names, row.Name)
		}
		cells[[2]string{row.Name, row.Metric}] = fmt.Sprintf("%.4f", row.Value)
		items[row.Name] = row.Items
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %s\titems\t%s\n", r.Protocol, r.Model, strings.Join(metrics, "\t"))
	for _, name := range names {
		fmt.Fprintf(w, "%s\t%d", name, items[name])
		for _, m := range metrics {
			fmt.Fprintf(w, "\t%s", cells[[2]string{name, m}])
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
