package serve

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// seldom keeps a log from saying the same for each request: a source that fails
// must be seen, and must not fill the disk. It is for a few things: sources,
// engines.
type seldom struct {
	of sync.Map // *rate.Sometimes by what is spoken of
}

// seldomEvery is how long nothing is said of a thing after something was.
const seldomEvery = time.Second

// say calls speak, unless something was said about the same thing just now.
func (s *seldom) say(about string, speak func()) {
	last, _ := s.of.LoadOrStore(about, &rate.Sometimes{Interval: seldomEvery})
	last.(*rate.Sometimes).Do(speak)
}
