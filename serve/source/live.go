package source

import (
	"context"
	"math"
)

// Live brings the streams that run now, by the viewer's taste and by how many
// watch them.
type Live struct{}

// liveLooked is how many streams are scored for one request: the latest begun.
const liveLooked = 2000

// What a live stream's score is made of, beside its audience.
const (
	liveTopic   = 2.0 // of the cosine of topics, -1 to 1
	liveCreator = 1.0 // of the affinity, -1 to 1
	liveFollow  = 2.0
)

// Name is "live".
func (Live) Name() string { return "live" }

// Recall scores by the logarithm of the audience and by the taste in topics and
// creators.
func (Live) Recall(_ context.Context, ask Ask, n int) ([]Candidate, error) {
	live := ask.Shelf.Live()
	streams := live.List[:min(len(live.List), liveLooked)]
	ords := make([]int32, len(streams))
	for i := range streams {
		ords[i] = streams[i].Ord
	}
	audience := ask.Crowd.Audience(ask.Now, ords)
	leads := make([]lead, len(streams))
	for i := range streams {
		leads[i] = lead{ord: ords[i], score: math.Log1p(audience[i]) + liveTopic*ask.Topics.MatchStream(&streams[i])}
	}
	// By the viewer's creators, who are few, and not by the streams'.
	raise := func(creator string, by float64) {
		for _, i := range live.By[creator] {
			if int(i) < len(leads) {
				leads[i].score += by
			}
		}
	}
	for creator, affinity := range ask.Viewer.ToCreator {
		raise(creator, liveCreator*affinity)
	}
	for creator := range ask.Viewer.Follows {
		raise(creator, liveFollow)
	}
	return ask.bestPassing(leads, n, nobody), nil
}
