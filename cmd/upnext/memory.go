package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// memory is what this process has resident, in bytes. Anonymous is what is not
// of files: rabitq's vectors are in memory as the file that they lie in, which
// the system may take back.
type memory struct{ Resident, Anonymous int64 }

// readMemory asks the system; false where it does not tell (it is Linux that does).
func readMemory() (m memory, ok bool) { return readMemoryOf(os.Getpid()) }

// readMemoryOf asks for another process.
func readMemoryOf(pid int) (m memory, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, false
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		var kib int64
		if _, err := fmt.Sscanf(value, "%d kB", &kib); err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			m.Resident = kib << 10
		case "RssAnon":
			m.Anonymous = kib << 10
		}
	}
	return m, m.Resident > 0
}

// watchMemory reads it at once, each second, and when ctx ends. None where the
// system does not tell.
func watchMemory(ctx context.Context) []memory {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var samples []memory
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

func spreadOf(samples []memory, of func(memory) int64) spread {
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
func thirdsOf(samples []memory) *thirds {
	if len(samples) == 0 {
		return nil
	}
	n := max(1, len(samples)/3)
	t := &thirds{Samples: len(samples)}
	for i, part := range [][]memory{samples[:n], samples[len(samples)-n:]} {
		t.Resident[i] = spreadOf(part, func(m memory) int64 { return m.Resident })
		t.Anonymous[i] = spreadOf(part, func(m memory) int64 { return m.Anonymous })
	}
	return t
}
