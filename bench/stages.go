package bench

import (
	"strconv"
	"strings"
	"time"
)

// stages sums the time of an answer's stages, from Server-Timing headers.
type stages struct {
	sum     map[string]time.Duration
	answers int
}

// add reads one header: "rank;dur=0.812, recall;dur=1.203".
func (s *stages) add(header string) {
	if s.sum == nil {
		s.sum = map[string]time.Duration{}
	}
	s.answers++
	for part := range strings.SplitSeq(header, ", ") {
		name, value, ok := strings.Cut(part, ";dur=")
		took, err := strconv.ParseFloat(value, 64)
		if ok && err == nil {
			s.sum[name] += time.Duration(took * float64(time.Millisecond))
		}
	}
}

// means are milliseconds an answer, by stage.
func (s *stages) means() map[string]float64 {
	means := make(map[string]float64, len(s.sum))
	for name, sum := range s.sum {
		means[name] = ms(sum / time.Duration(max(1, s.answers)))
	}
	return means
}

// ms are milliseconds to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
