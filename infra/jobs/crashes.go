package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"

	"github.com/riverqueue/river/rivertype"
)

// MaxCrashes is how many processes a job may die with before it is given up: a
// job that kills whoever works it would be tried without end otherwise.
const MaxCrashes = 6

// crashesKey is where a job's metadata counts them.
const crashesKey = "upnext_crashes"

// Crashes returns how many processes have died while they worked a job. They
// may have been killed for reasons that are not the job's; a worker that knows
// what to do with a job that cannot be worked does it after a few, and before
// MaxCrashes, when the job is discarded without its being asked.
func Crashes(job *rivertype.JobRow) int {
	var m struct {
		N int `json:"upnext_crashes"`
	}
	if json.Unmarshal(job.Metadata, &m) != nil {
		return 0
	}
	return m.N
}

// rescued is a job that its process has left running.
type rescued struct {
	id          int64
	kind, state string
}

func (r rescued) log(ctx context.Context, logger *slog.Logger) {
	if r.state == string(rivertype.JobStateDiscarded) {
		logger.ErrorContext(ctx, "job given up: its process died again and again", "job", r.id, "kind", r.kind, "times", MaxCrashes)
		return
	}
	logger.InfoContext(ctx, "job taken over from a process that died", "job", r.id, "kind", r.kind)
}

// clientName names a process that works jobs, until its end.
func clientName() string { return "upnext-" + rand.Text() }
