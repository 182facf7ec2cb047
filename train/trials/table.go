package trials

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Table is what a Trial measured, beside what others published for the protocol.
type Table struct {
	Protocol string `json:"protocol"`
	Items    int    `json:"items"`
	Cases    int    `json:"cases"`
	Seed     uint64 `json:"seed"`
	Tuning   bool   `json:"tuning,omitempty"`
	Rows     []Row  `json:"rows"` // worst first, by the main table's last column

	columns []string
}

// Row is a model's values by name: "hr@10", "ndcg@10", …, of a segment
// "cold_viewers_ndcg@10", ends of the 95 % interval "ndcg@10_low" and "_high",
// deviation over seeds "ndcg@10_sd"; seconds to fit, score_ms a history, peak_mb
// of the process, artefact_mb, silent (share of cases without an answer).
type Row struct {
	Model     string
	Published bool   // by others, or measured by us once and for all: not in this run
	Note      string // source, or what fitting found
	Values    map[string]float64
}

// MarshalJSON writes one flat object: the model, then the values by name.
func (r Row) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	name, err := json.Marshal(r.Model)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, `{"model":%s`, name)
	if r.Published {
		b.WriteString(`,"published":true`)
	}
	if r.Note != "" {
		note, err := json.Marshal(r.Note)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `,"note":%s`, note)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Values)) {
		v, err := json.Marshal(r.Values[k])
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", k, r.Model, err)
		}
		fmt.Fprintf(&b, `,%q:%s`, k, v)
	}
	return []byte(b.String() + "}"), nil
}

func (t *Table) sort() {
	if slices.Contains(t.columns, pushedColumn) {
		return // by model, each clean first
	}
	by := t.columns[len(t.columns)-1]
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Values[by], b.Values[by]), cmp.Compare(a.Model, b.Model))
	})
}

// part is a table of the report: some columns, of all rows or of ours.
type part struct {
	title   string
	columns []string
	others  bool // published rows too
}

func (t Table) parts() []part {
	head := t.columns[len(t.columns)-1]
	title := fmt.Sprintf("%s: %d cases, %d items, seed %d", t.Protocol, t.Cases, t.Items, t.Seed)
	if t.Tuning {
		title += ", ON THE CASES TO TUNE BY"
	}
	variety := []string{"coverage@20", "gini@20", "entropy@20", "diversity@10", "novelty@20"}
	var bySegment []string
	for _, segment := range []string{"cold_viewers_", "long_tail_"} {
		for _, c := range t.columns {
			if c != pushedColumn && !slices.Contains(variety, c) { // those are of lists together
				bySegment = append(bySegment, segment+c)
			}
		}
	}
	accuracy := slices.DeleteFunc([]string{"hr@1", "hr@10", "recall@20", "precision@10", "f1@10", "accuracy@10", "mrr@10", "map@10", "ndcg@10", "ndcg@20"},
		func(c string) bool { return slices.Contains(t.columns, c) })
	cost := []string{"seconds", "score_ms", "peak_mb", "artefact_mb", "seeds", "silent"}
	for _, r := range t.Rows {
		byConnections := func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
		for _, column := range slices.SortedFunc(maps.Keys(r.Values), byConnections) {
			if (strings.HasPrefix(column, requestsAt) || strings.HasPrefix(column, degradedAt)) && !slices.Contains(cost, column) {
				cost = append(cost, column)
			}
		}
	}
	return []part{
		{title, append(slices.Clone(t.columns), head+"_low", head+"_high", head+"_sd"), true},
		{"accuracy", accuracy, false},
		{"variety", variety, false},
		{"by segment", bySegment, false},
		{"cost", cost, false},
	}
}

// cell is how a value is shown; "" where there is none.
func cell(r Row, column string) string {
	v, ok := r.Values[column]
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(column, requestsAt):
		return fmt.Sprintf("%.0f", v)
	case column == "seeds":
		return fmt.Sprint(v)
	case column == "seconds" || column == "peak_mb" || column == "artefact_mb":
		return fmt.Sprintf("%.1f", v)
	case column == "score_ms" || column == "novelty@20":
		return fmt.Sprintf("%.2f", v)
	}
	return strings.TrimPrefix(fmt.Sprintf("%.4f", v), "0") // .1234, as papers have it
}

// Write prints the tables in columns.
func (t Table) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, p := range t.parts() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s\t\t%s\n", p.title, strings.Join(p.columns, "\t"))
		t.each(p, func(r Row, cells []string) {
			from := "ours"
			if r.Published {
				from = "published"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", r.Model, from, strings.Join(cells, "\t"))
		})
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes the same tables for docs/results.md, our rows in bold.
func (t Table) Markdown(out io.Writer) error {
	var b strings.Builder
	for _, p := range t.parts() {
		fmt.Fprintf(&b, "| %s | %s |\n|---|%s\n", p.title, strings.ReplaceAll(strings.Join(p.columns, " | "), "_", " "), strings.Repeat("---|", len(p.columns)))
		t.each(p, func(r Row, cells []string) {
			name := r.Model
			if !r.Published && p.others {
				name = "**" + name + "**"
			}
			if r.Note != "" && p.others {
				name += " (" + r.Note + ")"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.Join(cells, " | "))
		})
		b.WriteString("\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (t Table) each(p part, visit func(r Row, cells []string)) {
	for _, r := range t.Rows {
		if r.Published && !p.others {
			continue
		}
		cells := make([]string, len(p.columns))
		for i, c := range p.columns {
			cells[i] = cell(r, c)
		}
		visit(r, cells)
	}
}
