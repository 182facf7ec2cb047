package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Targets are what a server of two processors with everything embedded shall
// reach with a catalogue of a size: the table that the report is held against.
type Targets struct {
	Name                 string
	Load                 Load
	p50, p99             float64
	saturation           float64
	processor            float64
	event, item          float64
	batched, single, lag float64
	ready, memory        float64
}

// The targets at a hundred thousand items and at a million.
var (
	hundredThousand = Targets{"100k items, 20k viewers", Load{400, 500, 10}, 5, 20, 800, 1.5, 20, 2000, 15_000, 1000, 5000, 1000, 400}
	million         = Targets{"1M items, 100k viewers", Load{150, 500, 10}, 10, 50, 300, 4, 50, 2000, 15_000, 1000, 5000, 3000, 1500}
)

// TargetsFor are those of the nearest size.
func TargetsFor(items int) Targets {
	if items > 300_000 {
		return million
	}
	return hundredThousand
}

// Write prints the report beside its targets.
func (r *Report) Write(to io.Writer) error {
	t := TargetsFor(r.Items)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n%d items, %d viewers, seed %d: %.0f requests, %.0f events and %.0f items a second for %.0f s\n\n",
		r.Machine, r.Items, r.Viewers, r.Seed, r.Load.Requests, r.Load.Events, r.Load.Items, r.Seconds)
	fmt.Fprintf(w, "\tmeasured\ttarget (%s)\t\n", t.Name)
	most := func(name string, got, want float64, unit string) { row(w, name, got, "≤", want, unit, got <= want) }
	least := func(name string, got, want float64, unit string) { row(w, name, got, "≥", want, unit, got >= want) }
	most("p50", r.P50, t.p50, "ms")
	most("p99", r.P99, t.p99, "ms")
	plain(w, "p99.9, slowest", "%.1f, %.1f ms", r.P999, r.Max)
	plain(w, "first 1,000: p50, p99, p99.9, slowest", "%.1f, %.1f, %.1f, %.1f ms", r.First.P50, r.First.P99, r.First.P999, r.First.Max)
	least("saturation", r.SaturationRPS, t.saturation, "requests/s")
	most("processor a request, all the load", r.CPUPerRequest, t.processor, "ms")
	plain(w, "processor a request, requests alone", "%.2f ms", r.CPUAlone)
	plain(w, "allocations a request", "%.0f, %.0f kB", r.Allocations, r.AllocatedBytes/1000)
	most("event to effect, p99", r.EventToEffectP99, t.event, "ms")
	most("item to recommendable, p99", r.ItemToEffectP99, t.item, "ms")
	least("events by 100, 4 writers", r.EventsBatched, t.batched, "/s")
	most("slowest event to effect meanwhile", r.FoldLagMS, t.lag, "ms")
	least("events one by one, 16 writers", r.EventsSingle, t.single, "/s")
	plain(w, "recall@10 of the index", "%.3f", r.Recall)
	most("start to ready", r.ReadyMS, t.ready, "ms")
	most("anonymous memory", r.Memory, t.memory, "MB")
	plain(w, "mapped memory", "%.0f MB", r.Mapped)
	plain(w, "degraded, short answers", "%.2f %%, %.2f %%", 100*r.Degraded, 100*r.Short)
	plain(w, "failures", "%d", r.failed())
	if err := w.Flush(); err != nil {
		return err
	}
	return r.details(to)
}

// details are what a table has no room for.
func (r *Report) details(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nstage\tprocessor ms\twall ms\n")
	for _, stage := range byValue(r.CPUByStage) {
		fmt.Fprintf(w, "%s\t%.3f\t%s\n", stage, r.CPUByStage[stage], wall(r.WallByStage, stage))
	}
	fmt.Fprintf(w, "\nfilled in %.0f s, trained in %.0f s%s: %s\n", r.FillSeconds, r.TrainSeconds, map[bool]string{true: " by an earlier run"}[r.Kept], strings.Join(r.Models, ", "))
	if len(r.Silent) > 0 {
		fmt.Fprintf(w, "brought nothing to the pages looked at: %s\n", strings.Join(r.Silent, ", "))
	}
	for _, what := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(w, "failed %d times: %s\n", r.Failures[what], what)
	}
	return w.Flush()
}

func (r *Report) failed() (n int) {
	for _, times := range r.Failures {
		n += times
	}
	return n
}

func row(w io.Writer, name string, got float64, sign string, want float64, unit string, met bool) {
	mark := "missed"
	if met {
		mark = "met"
	}
	digits := 0
	if want < 100 {
		digits = 2
	}
	fmt.Fprintf(w, "%s\t%.*f %s\t%s %g\t%s\n", name, digits, got, unit, sign, want, mark)
}

func plain(w io.Writer, name, format string, values ...any) {
	fmt.Fprintf(w, "%s\t%s\t\t\n", name, fmt.Sprintf(format, values...))
}

func wall(by map[string]float64, stage string) string {
	if took, ok := by[stage]; ok {
		return fmt.Sprintf("%.3f", took)
	}
	return ""
}

// byValue are the keys, the largest value first.
func byValue(of map[string]float64) []string {
	keys := slices.Sorted(maps.Keys(of))
	slices.SortStableFunc(keys, func(a, b string) int {
		switch {
		case of[a] > of[b]:
			return -1
		case of[a] < of[b]:
			return 1
		}
		return 0
	})
	return keys
}
