package shelf

import "math"

// number gives an item the numbers of its topics.
func (s *Shelf) number(it *Item) {
	it.topics = make([]int32, len(it.Topics))
	for i, topic := range it.Topics {
		n, ok := s.topics[topic]
		if !ok {
			n = int32(len(s.topics))
			s.topics[topic] = n
		}
		it.topics[i] = n
	}
}

// Leanings are weights of topics, ready to be summed over many items.
type Leanings struct{ by []float32 } // by number of the topic; those behind weigh nothing

// Leanings returns weights by topic in that form, as the shelf numbers topics. It
// costs 4 bytes for each topic that the catalogue has, so it is made for a request.
func (s *Shelf) Leanings(weights map[string]float64) Leanings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := Leanings{make([]float32, len(s.topics))}
	for topic, w := range weights {
		if n, ok := s.topics[topic]; ok {
			l.by[n] = float32(w)
		}
	}
	return l
}

// Match is the cosine between an item's topics and the leanings, where these are
// of unit length taken together.
func (l Leanings) Match(it *Item) float64 { return l.match(it.topics) }

// MatchStream is Match of a live stream.
func (l Leanings) MatchStream(s *Stream) float64 { return l.match(s.topics) }

func (l Leanings) match(topics []int32) float64 {
	var sum float32
	for _, n := range topics {
		if int(n) < len(l.by) {
			sum += l.by[n]
		}
	}
	return float64(sum) / math.Sqrt(max(1, float64(len(topics))))
}
