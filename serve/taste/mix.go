package taste

import (
	"cmp"
	"slices"
	"strings"
)

// Mix is the distribution of what a viewer took to over topics: the weightiest
// ones by name, then all the others together, without one. The shares are above
// 0 and sum to 1. Nil where they took to nothing that has a topic.
type Mix []TopicShare

// TopicShare is one topic of a Mix; the last of a Mix has no name.
type TopicShare struct {
	Topic string // lower case
	Share float64
}

// Bounds of a Mix: what is too little to fill a place of a page is no part of
// it.
const (
	mixTopics = 16
	mixLeast  = 0.02
)

// mixOf sums up signals: each gives its weight to its item's topics in equal
// parts (Steck 2018, where the topics are genres).
func mixOf(signals []Signal) Mix {
	weights, total := map[string]float64{}, 0.0
	for _, sig := range signals {
		if n := len(sig.Item.Topics); n > 0 && sig.Weight > 0 {
			total += sig.Weight
			for _, topic := range sig.Item.Topics {
				weights[topic] += sig.Weight / float64(n)
			}
		}
	}
	if total == 0 {
		return nil
	}
	mix := make(Mix, 0, len(weights)+1)
	for topic, w := range weights {
		if w/total >= mixLeast {
			mix = append(mix, TopicShare{topic, w / total})
		}
	}
	slices.SortFunc(mix, func(a, b TopicShare) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), strings.Compare(a.Topic, b.Topic))
	})
	mix = mix[:min(len(mix), mixTopics)]
	others := 1.0
	for _, m := range mix {
		others -= m.Share
	}
	return append(mix, TopicShare{Share: max(others, 1e-6)})
}
