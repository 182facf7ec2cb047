package taste

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"upnext/serve/shelf"
	"upnext/serve/vec"
)

// Interest is one of the several things that a viewer is drawn to.
type Interest struct {
	Medoid  *shelf.Item // the member nearest to all others: what is kept and named
	Members []Signal    // weightiest first
	Weight  float64     // share of the viewer's attention, 0 to 1
	Vector  []float32   // unit; the members' mean by weight
	Last    time.Time
}

// Heads returns the signals that Cluster wants the vectors of.
func (s *State) Heads(set Settings) []Signal {
	return s.Positive[:min(len(s.Positive), set.InterestItems)]
}

// Cluster gathers the heads into interests, the weightiest first: the two
// groups of the greatest mean similarity become one until none reaches
// set.Similarity; the weightiest groups stay. vectors are the heads', nil for
// an item that has none.
func (s *State) Cluster(vectors [][]float32, set Settings) {
	var groups []*group
	for i, sig := range s.Heads(set) {
		if vectors[i] != nil {
			groups = append(groups, &group{members: []int{i}, weight: sig.Weight})
		}
	}
	for i, g := range groups {
		g.to = make([]float64, len(groups))
		for j, h := range groups[:i] {
			g.to[j] = float64(vec.Dot(vectors[g.members[0]], vectors[h.members[0]]))
			h.to[i] = g.to[j]
		}
	}
	join(groups, set.Similarity)
	groups = slices.DeleteFunc(groups, func(g *group) bool { return len(g.members) == 0 })
	total := 0.0
	for _, g := range groups {
		total += g.weight
	}
	interests := make([]Interest, 0, len(groups))
	for _, g := range groups {
		if in, ok := s.interest(g, vectors, total); ok {
			interests = append(interests, in)
		}
	}
	slices.SortFunc(interests, func(a, b Interest) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), strings.Compare(string(a.Medoid.Item.ID), string(b.Medoid.Item.ID)))
	})
	s.Interests = interests[:min(len(interests), set.Interests)]
}

// group is a cluster in the making; one without members was joined to another.
type group struct {
	members []int
	weight  float64
	to      []float64 // mean similarity to each other group
}

// join merges in place, by average linkage.
func join(groups []*group, least float64) {
	for {
		best, a, b := least, -1, -1
		for i, g := range groups {
			if len(g.members) == 0 {
				continue
			}
			for j := range i {
				if len(groups[j].members) > 0 && (g.to[j] > best || a < 0 && g.to[j] >= best) {
					best, a, b = g.to[j], j, i
				}
			}
		}
		if a < 0 {
			return
		}
		into, from := groups[a], groups[b]
		n, m := float64(len(into.members)), float64(len(from.members))
		for k, g := range groups {
			if k != a && k != b && len(g.members) > 0 {
				mean := (n*into.to[k] + m*from.to[k]) / (n + m)
				into.to[k], g.to[a] = mean, mean
			}
		}
		into.members = append(into.members, from.members...)
		into.weight += from.weight
		from.members = nil
	}
}

// interest finishes a group.
func (s *State) interest(g *group, vectors [][]float32, total float64) (Interest, bool) {
	slices.Sort(g.members) // Positive is in the order of weight
	in := Interest{Weight: g.weight / total, Vector: make([]float32, len(vectors[g.members[0]]))}
	for _, i := range g.members {
		sig := s.Positive[i]
		in.Members = append(in.Members, sig)
		vec.Add(in.Vector, vectors[i], float32(sig.Weight))
		if sig.At.After(in.Last) {
			in.Last = sig.At
		}
	}
	in.Vector = vec.Unit(in.Vector)
	if in.Vector == nil { // members that cancel out
		return in, false
	}
	best := float32(-2)
	for k, i := range g.members {
		if d := vec.Dot(vectors[i], in.Vector); d > best {
			best, in.Medoid = d, in.Members[k].Item
		}
	}
	return in, true
}
