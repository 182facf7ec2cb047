package main

import (
	"context"
	"os"
	"slices"
	"time"

	"upnext/bench"
)

// readMemory asks the system for this process's.
func readMemory() (bench.Memory, bool) { return bench.ReadMemory(os.Getpid()) }

// watchMemory reads it at once, each second, and when ctx ends. None where the
// system does not tell.
func watchMemory(ctx context.Context) []bench.Memory {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var samples []bench.Memory
	for {
		m, ok := readMemory()
		if !ok {
			return nil
		}
		if samples = append(samples, m); ctx.Err() != nil {
			return samples
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// spread is where samples lie, in bytes.
type spread struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	Max    int64 `json:"max"`
}

func spreadOf(samples []bench.Memory, of func(bench.Memory) int64) spread {
	values := make([]int64, len(samples))
	for i, m := range samples {
		values[i] = of(m)
	}
	slices.Sort(values)
	return spread{values[0], values[len(values)/2], values[len(values)-1]}
}

// thirds compares the beginning with the end: a run whose memory is flat has
// the same in both.
type thirds struct {
	Samples   int       `json:"samples"`
	Resident  [2]spread `json:"resident"` // of the first third and of the last
	Anonymous [2]spread `json:"anonymous"`
}

// thirdsOf returns nil where there are no samples.
func thirdsOf(samples []bench.Memory) *thirds {
	if len(samples) == 0 {
		return nil
	}
	n := max(1, len(samples)/3)
	t := &thirds{Samples: len(samples)}
	for i, part := range [][]bench.Memory{samples[:n], samples[len(samples)-n:]} {
		t.Resident[i] = spreadOf(part, func(m bench.Memory) int64 { return m.Resident })
		t.Anonymous[i] = spreadOf(part, func(m bench.Memory) int64 { return m.Anonymous })
	}
	return t
}
