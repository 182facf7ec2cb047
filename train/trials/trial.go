package trials

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/learn"
	"upnext/learn/blend"
	"upnext/learn/ranking"
	"upnext/learn/relevance"
	"upnext/learn/sequence"
)

// listed is how long the lists are that coverage and its like are taken of.
const listed = 20

// Trial measures models that learn from behaviour.
type Trial struct {
	Models      []string                         // of those that Models lists; none is all that are tried by themselves
	Seed        uint64                           // the first one
	Seeds       int                              // models that draw are fitted with so many, and their means reported
	Tuning      bool                             // ask the cases that settings are chosen by: those of the test are for the report
	Text, Image embed.Embedder                   // needed by cold
	Keep        string                           // folder in which fitted models stay for the next run, whose rows have their seconds; "" is none
	Load        map[string]string                // files of artefacts, by the names of the entries that are not fitted but read from them
	Watch       func(model string, s learn.Step) // may be nil; called by one goroutine at a time
}

// Run measures by the protocol on the data in dir, a data set's
// own folder or the folder above it. Equal
// data, models and seeds give equal tables but for seconds and memory.
func (t Trial) Run(ctx context.Context, protocol, dir string) (Table, error) {
	e, err := t.exam(ctx, protocol, dir)
	if err != nil {
		return Table{}, fmt.Errorf("evaluate %s: %w", protocol, err)
	}
	return t.run(ctx, e, entries(e))
}

// run measures those of the entries that are chosen, and their refits.
func (t Trial) run(ctx context.Context, e exam, all []entry) (Table, error) {
	if t.Tuning {
		e.test, e.refit = e.tune, sitting{}
	}
	chosen, err := t.choose(all)
	if err != nil {
		return Table{}, fmt.Errorf("evaluate %s: %w", e.protocol, err)
	}
	table := Table{Protocol: e.protocol, Items: e.test.log.Items, Cases: len(e.test.cases), Seed: t.Seed, Tuning: t.Tuning, columns: e.columns}
	b := bench{Trial: t, exam: e, entries: all, kept: map[string]fitted{}, grades: newGrades(e.test), progress: t.Watch}
	sittings := e.variants
	if len(sittings) == 0 || t.Tuning {
		sittings = []variant{{sitting: e.test}}
		if len(e.refit.cases) > 0 {
			sittings = append(sittings, variant{name: refitted, sitting: e.refit})
		}
	}
	for _, en := range chosen {
		for _, v := range sittings {
			if v.name == refitted && !en.refit {
				continue
			}
			row, err := b.row(ctx, en, v)
			if err != nil {
				return Table{}, fmt.Errorf("evaluate %s: %s: %w", e.protocol, row.Model, err)
			}
			table.Rows = append(table.Rows, row)
		}
	}
	if !t.Tuning {
		table.Rows = append(table.Rows, published(e.protocol)...)
	}
	table.sort()
	return table, nil
}

// choose returns the entries that Models names, or all that need no naming.
func (t Trial) choose(all []entry) ([]entry, error) {
	var chosen []entry
	for _, en := range all {
		if slices.Contains(t.Models, en.name) || len(t.Models) == 0 && !en.named {
			chosen = append(chosen, en)
		}
	}
	for _, name := range t.Models {
		if !slices.ContainsFunc(all, func(en entry) bool { return en.name == name }) {
			names := make([]string, len(all))
			for i, en := range all {
				names[i] = en.name
			}
			return nil, fmt.Errorf("model %q: there are %s: %w", name, strings.Join(names, ", "), upnext.ErrInvalid)
		}
	}
	return chosen, nil
}

// fitted is a model and what fitting it cost.
type fitted struct {
	model   learn.Model
	seconds float64
	parts   []learn.Model // of a blend
	note    string        // of what was found while fitting
}

// bench fits and asks the models of one run. Parts of blends are kept.
type bench struct {
	Trial
	exam     exam
	entries  []entry
	kept     map[string]fitted // by name, seed and log
	grades   grades
	progress func(string, learn.Step)
}

// refitted names the rows of models fitted on what is to tune by, too.
const refitted = "refit"

// row measures one entry with each seed. With an error it has the name alone.
func (b *bench) row(ctx context.Context, en entry, v variant) (Row, error) {
	s, name := v.sitting, en.name
	if v.name != "" {
		name += " (" + v.name + ")"
	}
	seeds := 1
	if en.seeded {
		seeds = max(1, b.Seeds)
	}
	var sum marks
	resetPeak()
	for i := range seeds {
		f, err := b.fit(ctx, en, s, b.Seed+uint64(i))
		if err != nil {
			return Row{Model: name}, err
		}
		result, err := ranking.Rank(ctx, f.model, s.cases, listed, b.watch(en.name))
		if err != nil {
			return Row{Model: name}, err
		}
		m := b.grades.of(s.cases, result)
		m.cost["seconds"] = f.seconds
		m.cost["score_ms"] = result.Scoring.Seconds() * 1000 / float64(max(1, len(s.cases)))
		m.cost["artefact_mb"], err = megabytes(append(f.parts, f.model)...)
		if err != nil {
			return Row{Model: name}, err
		}
		m.note = f.note
		if v.fakes {
			m.whole[pushedColumn] = pushedShare(result, v.pushed)
		}
		sum.add(m)
	}
	row := sum.row(b.Seed, b.grades, b.exam.columns)
	row.Model = name
	if p := peak(); p > 0 {
		row.Values["peak_mb"] = p
	}
	return row, nil
}

func (b *bench) watch(name string) learn.Watch {
	if b.progress == nil {
		return nil
	}
	return func(s learn.Step) { b.progress(name, s) }
}

// fit fits an entry on a log. A blend's parts are fitted on what is to tune by
// too, where that is another log, and its weights chosen there.
func (b *bench) fit(ctx context.Context, en entry, s sitting, seed uint64) (fitted, error) {
	if en.holds && b.exam.known.Items > 0 {
		s.log = b.exam.known // so it is fitted on what the others are
	}
	key := fmt.Sprintf("%s %d %p %d", en.name, seed, s.log.Viewers, len(s.log.Viewers))
	if f, ok := b.kept[key]; ok {
		return f, nil
	}
	var f fitted
	var err error
	switch {
	case en.fitter != nil:
		f, err = b.fitOrReload(ctx, en, s, seed)
	case en.small:
		if f, err = b.fit(ctx, find(b.entries, en.parts[0]), s, seed); err == nil {
			f.model = f.model.(*sequence.Model).Quantised()
		}
	default:
		f, err = b.blend(ctx, en, s, seed)
	}
	if err == nil && slices.ContainsFunc(b.entries, func(of entry) bool { return slices.Contains(of.parts, en.name) }) {
		b.kept[key] = f
	}
	return f, err
}

// fitOrReload fits an entry that is no blend.
func (b *bench) fitOrReload(ctx context.Context, en entry, s sitting, seed uint64) (fitted, error) {
	if path := b.Load[en.name]; path != "" {
		f, err := load(path)
		if err == nil && f.model.Items() != s.log.Items {
			err = fmt.Errorf("model %s knows %d items, the log %d: %w", path, f.model.Items(), s.log.Items, upnext.ErrInvalid)
		}
		f.note = "from a file"
		return f, err
	}
	fitter := en.fitter(seed)
	name := ""
	if b.Keep != "" {
		name = keptName(en, fitter, s.log, seed)
		if f, ok, err := b.reload(name); ok || err != nil {
			return f, err
		}
	}
	begun := time.Now()
	m, err := fitter.Fit(ctx, s.log, b.watch(en.name))
	if err != nil {
		return fitted{}, err
	}
	f := fitted{model: m, seconds: time.Since(begun).Seconds()}
	return f, b.keep(name, f)
}

func (b *bench) blend(ctx context.Context, en entry, s sitting, seed uint64) (fitted, error) {
	var f fitted
	fit := func(s sitting) ([]learn.Model, error) {
		var parts []learn.Model
		for _, name := range en.parts {
			p, err := b.fit(ctx, find(b.entries, name), s, seed)
			if err != nil {
				return nil, fmt.Errorf("part %s: %w", name, err)
			}
			f.seconds += p.seconds
			parts = append(parts, p.model)
		}
		return parts, nil
	}
	parts, err := fit(b.exam.tune)
	if err != nil {
		return fitted{}, err
	}
	begun := time.Now()
	weights, _, err := blend.Tune(ctx, parts, b.exam.tune.cases, func(r relevance.Ranking) float64 { return r.NDCG(10) }, b.watch(en.name))
	if err != nil {
		return fitted{}, err
	}
	f.note = fmt.Sprintf("weights %v", weights)
	f.seconds += time.Since(begun).Seconds()
	if &s.log.Viewers[0] != &b.exam.tune.log.Viewers[0] {
		if parts, err = fit(s); err != nil {
			return fitted{}, err
		}
	}
	f.parts = parts
	f.model, err = blend.New(parts, weights)
	return f, err
}

// megabytes is how long the models' artefacts are together.
func megabytes(models ...learn.Model) (float64, error) {
	var n counter
	for _, m := range models {
		if err := m.Artefact().Write(&n); err != nil {
			return 0, fmt.Errorf("artefact of %s: %w", m.Name(), err)
		}
	}
	return float64(n) / 1e6, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
