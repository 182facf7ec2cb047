package attack

import (
	"math/rand/v2"
	"slices"

	"upnext/learn"
)

// Dropped is a history of which a share of the acts never arrived, each as likely
// as another.
func Dropped(h learn.History, share float64, random *rand.Rand) learn.History {
	var out learn.History
	for i, item := range h.Items {
		if random.Float64() < share {
			continue
		}
		out.Items = append(out.Items, item)
		if h.At != nil {
			out.At = append(out.At, h.At[i])
		}
	}
	return out
}

// Delayed is a history of which a share of the acts arrived late, behind up to
// longest of those that came after them, and are taken for as new as they
// arrived: the times stay with the places.
func Delayed(h learn.History, share float64, longest int, random *rand.Rand) learn.History {
	out := learn.History{Items: slices.Clone(h.Items), At: h.At}
	// From the end, so that an act that was moved is not met again.
	for i := len(out.Items) - 1; i >= 0; i-- {
		if random.Float64() >= share {
			continue
		}
		to := min(len(out.Items)-1, i+1+random.IntN(longest))
		late := out.Items[i]
		copy(out.Items[i:to], out.Items[i+1:to+1])
		out.Items[to] = late
	}
	return out
}

// Each damages every history of a log, each by a stream of its own, so that who
// else is in the log changes nothing.
func Each(log learn.Log, seed uint64, damage func(learn.History, *rand.Rand) learn.History) learn.Log {
	out := learn.Log{Items: log.Items, Viewers: make([]learn.History, len(log.Viewers))}
	for v, h := range log.Viewers {
		out.Viewers[v] = damage(h, rand.New(rand.NewPCG(seed, uint64(v))))
	}
	return out
}
