package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// stagesOf say to which stage a sample of the processor belongs: the first of
// them that has a function on its stack. What the writes cost is told apart from
// what the requests do.
var stagesOf = []struct{ stage, function string }{
	{"gc", "runtime.gcBgMarkWorker"}, {"gc", "runtime.bgsweep"}, {"gc", "runtime.bgscavenge"},
	{"viewer", "upnext/serve.(*Recommender).begin"},
	{"recall index", "upnext/index/rabitq."},
	{"recall", "upnext/serve.(*Recommender).recall"}, {"recall", "upnext/serve.(*Recommender).ask"},
	{"blend", "upnext/serve.(*Recommender).blend"},
	{"rerank", "upnext/serve.(*Recommender).rerank"},
	{"explain", "upnext/serve.(*Recommender).explain"},
	{"cursor", "upnext/serve.(*Recommender).offer"},
	{"slates", "upnext/serve.(*Recommender).writeSlates"},
	{"events", "upnext/serve/api.(*api).postEvents"}, {"events", "upnext/infra/sqlstore.(*committer"},
	{"items", "upnext/ingest."},
	{"follow", "upnext/serve.(*Recommender).follow"}, {"follow", "upnext/serve.(*Recommender).meet"},
	{"database", "upnext/infra/sqlstore."}, {"database", "modernc.org/sqlite"},
	{"http", "net/http.(*conn).serve"},
}

// other is the stage of what belongs to none: the scheduler, the network.
const other = "other"

// source is the name of a source of candidates where the function is its work.
func source(function string) (name string, ok bool) {
	name, ok = strings.CutPrefix(function, "upnext/serve/source.")
	name, recall := strings.CutSuffix(name, ".Recall")
	return strings.ToLower(name), ok && recall
}

// stageOf is the stage of a stack.
func stageOf(s *profile.Sample) string {
	stage, rank := other, len(stagesOf)
	for _, at := range s.Location {
		for _, line := range at.Line {
			if line.Function == nil {
				continue
			}
			if name, ok := source(line.Function.Name); ok {
				return "recall " + name
			}
			for i, of := range stagesOf[:rank] {
				if strings.HasPrefix(line.Function.Name, of.function) {
					stage, rank = of.stage, i
					break
				}
			}
		}
	}
	return stage
}

// shares profiles the process for a while and returns the share of its
// processor time that each stage has.
func shares(ctx context.Context, debug string, during time.Duration) (map[string]float64, error) {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", debug, max(1, int(during.Seconds())))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	p, err := profile.ParseData(raw)
	if err != nil {
		return nil, fmt.Errorf("profile: %s: %w", reply.Status, err)
	}
	by, all := map[string]float64{}, 0.0
	for _, s := range p.Sample {
		spent := float64(s.Value[len(s.Value)-1]) // samples, nanoseconds
		by[stageOf(s)] += spent
		all += spent
	}
	for stage := range by {
		by[stage] /= all
	}
	return by, nil
}
