package bench

import (
	"slices"
	"time"
)

// Report is what was measured. Times are in milliseconds, wall clock unless
// they say processor.
type Report struct {
	Machine string  `json:"machine"`
	Seed    uint64  `json:"seed"`
	Items   int     `json:"items"`
	Viewers int     `json:"viewers"`
	Load    Load    `json:"load_per_second"`
	Seconds float64 `json:"seconds"` // of the load

	Latency                 // of all requests under the load, from when they were due
	First    Latency        `json:"first_1000"` // of them, after ready
	Requests int            `json:"requests"`
	Failures map[string]int `json:"failures"` // in all phases but those to saturation, by what was said
	Degraded float64        `json:"degraded_share"`
	Short    float64        `json:"short_share"`
	Writes   int64          `json:"writes"` // posts and upserts that were answered well under the load

	SaturationRPS float64 `json:"saturation_rps"` // the most requests a second with p99 within 100 ms and no error
	Steps         []Step  `json:"saturation_steps"`

	EventToEffectP99 float64 `json:"event_to_effect_p99_ms"` // from sending an event to an answer that knows of it
	EventToEffect    Effect  `json:"event_to_effect_ms"`
	ItemToEffectP99  float64 `json:"upsert_to_recommendable_p99_ms"` // from sending an item to an answer with it
	ItemToEffect     Effect  `json:"upsert_to_recommendable_ms"`

	CPUPerRequest  float64            `json:"cpu_ms_per_request"`       // all that the process took under the load, by pages asked for: what events and items cost is in it
	CPUByStage     map[string]float64 `json:"cpu_ms_by_stage"`          // of it, by the shares of a profile
	WallByStage    map[string]float64 `json:"wall_ms_by_stage"`         // as Server-Timing has it: waiting for a processor is in it
	CPUAlone       float64            `json:"cpu_ms_per_request_alone"` // with requests alone, at half of the rate
	Allocations    float64            `json:"allocations_per_request"`  // objects; requests alone
	AllocatedBytes float64            `json:"allocated_bytes_per_request"`

	Recall  float64        `json:"index_recall_at_10"`
	Memory  float64        `json:"memory_mb"`        // anonymous, at the end of the load, in millions of bytes
	Mapped  float64        `json:"memory_mapped_mb"` // of files: the system may take it back
	ReadyMS float64        `json:"ready_ms"`         // from start to ready, with data in place
	Sources map[string]int `json:"sources"`          // items on the pages that were looked at, by who proposed them
	Silent  []string       `json:"silent_sources"`   // brought nothing to these pages

	EventsBatched float64 `json:"events_per_second_batched"` // batches of 100, 4 writers
	EventsSingle  float64 `json:"events_per_second_single"`  // 16 writers
	FoldLagMS     float64 `json:"fold_lag_ms"`               // the slowest event to effect meanwhile, with the batches

	FillSeconds  float64  `json:"fill_seconds"`
	TrainSeconds float64  `json:"train_seconds"`
	Models       []string `json:"models"`
	Kept         bool     `json:"world_kept"` // was filled and trained by an earlier run
}

// Latency is how long answers took.
type Latency struct {
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
	Max  float64 `json:"max_ms"`
}

// Effect is how long writes took to be seen.
type Effect struct {
	Looked int     `json:"looked"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// Step is one load on the way to saturation.
type Step struct {
	Rate   float64 `json:"rate"`
	P99    float64 `json:"p99_ms"`
	Errors int     `json:"errors"`
	Borne  bool    `json:"borne"`
}

// firstAnswers are those after ready that are also told apart.
const firstAnswers = 1000

// loaded takes in the load that the targets are about.
func (r *Report) loaded(p *phase, spent usage, m Memory, shares map[string]float64, sources []string) {
	requests := float64(max(1, len(p.latencies)))
	r.Requests, r.Writes = len(p.latencies), p.writes.Load()
	r.First = latencyOf(p.latencies[:min(firstAnswers, len(p.latencies))])
	r.Latency = latencyOf(p.latencies)
	r.Degraded, r.Short = float64(p.degraded)/requests, float64(p.short)/requests
	r.CPUPerRequest = ms(spent.processor) / (requests + float64(p.looked.Load()))
	r.CPUByStage = map[string]float64{}
	for stage, share := range shares {
		r.CPUByStage[stage] = share * r.CPUPerRequest
	}
	r.WallByStage = p.stages.means()
	r.Memory, r.Mapped = float64(m.Anonymous)/1e6, float64(m.Resident-m.Anonymous)/1e6
	r.Sources, r.Silent = p.sources, []string{}
	for _, s := range sources {
		if p.sources[s] == 0 {
			r.Silent = append(r.Silent, s)
		}
	}
	r.fail(p)
}

// alone takes in the load of requests with nothing beside them.
func (r *Report) alone(p *phase, spent usage) {
	requests := float64(max(1, len(p.latencies)))
	r.CPUAlone = ms(spent.processor) / requests
	r.Allocations, r.AllocatedBytes = spent.objects/requests, spent.bytes/requests
	r.fail(p)
}

// fail takes in what went wrong.
func (r *Report) fail(p *phase) {
	if r.Failures == nil {
		r.Failures = map[string]int{}
	}
	for what, times := range p.failures.by {
		r.Failures[what] += times
	}
}

func stepOf(rate float64, p *phase) Step {
	p99 := Quantile(p.latencies, .99)
	return Step{rate, ms(p99), p.failures.n, p.failures.n == 0 && p99 <= saturated}
}

// latencyOf leaves times as they are.
func latencyOf(times []time.Duration) Latency {
	sorted := slices.Sorted(slices.Values(times))
	return Latency{ms(Quantile(sorted, .5)), ms(Quantile(sorted, .99)), ms(Quantile(sorted, .999)), ms(Quantile(sorted, 1))}
}

func effectOf(times []time.Duration) Effect {
	return Effect{len(times), ms(Quantile(times, .5)), ms(Quantile(times, .99)), ms(Quantile(times, 1))}
}

// Quantile sorts times and returns the one that a share of them is not above; 0
// where there are none.
func Quantile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(share*float64(len(times))))]
}
