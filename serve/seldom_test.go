package serve

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSeldom: each thing is spoken of once a second, whoever else is spoken of.
func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s seldom
		said := map[string]int{}
		for range 25 {
			for _, about := range []string{"taste", "last"} {
				s.say(about, func() { said[about]++ })
			}
			time.Sleep(100 * time.Millisecond)
		}
		if said["taste"] != 3 || said["last"] != 3 {
			t.Errorf("said %v in 2.5 s, want 3 times each", said)
		}
	})
}
