//go:build !unix

package indextest

import "time"

var started = time.Now()

// processorSeconds is the time that went by: what comes nearest where the
// system has no count of the processor's.
func processorSeconds() float64 { return time.Since(started).Seconds() }
