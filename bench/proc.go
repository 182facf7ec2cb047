package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc: USER_HZ, 100 on every Linux.
const tick = 10 * time.Millisecond

// Processor is the processor time that a process has had, user and system, in
// steps of 10 ms. It is Linux that tells.
func Processor(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	// The second field is the command in brackets, and may hold blanks. Fields 14
	// and 15 are user and system time.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time: /proc/%d/stat has %d fields", pid, len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("processor time: /proc/%d/stat: %q and %q", pid, fields[11], fields[12])
	}
	return time.Duration(user+system) * tick, nil
}

// Memory is what a process has resident, in bytes. Anonymous is what is not of
// files: rabitq's vectors are in memory as the file that they lie in, which the
// system may take back.
type Memory struct{ Resident, Anonymous int64 }

// ReadMemory asks the system; false where it does not tell (it is Linux that does).
func ReadMemory(pid int) (m Memory, ok bool) {
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

// usage is what a process has used by now.
type usage struct {
	processor time.Duration
	objects   float64 // allocated, ever
	bytes     float64 // of them
}

// usage is what the server has used by now, by the system and its own counters.
func (s *Server) usage(ctx context.Context) (u usage, err error) {
	if u.processor, err = Processor(s.PID); err != nil {
		return u, err
	}
	text, err := s.call(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return u, fmt.Errorf("metrics: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "go_memstats_mallocs_total":
			u.objects, _ = strconv.ParseFloat(value, 64)
		case "go_memstats_alloc_bytes_total":
			u.bytes, _ = strconv.ParseFloat(value, 64)
		}
	}
	return u, nil
}

func (u usage) since(before usage) usage {
	return usage{u.processor - before.processor, u.objects - before.objects, u.bytes - before.bytes}
}

// Machine names what is measured on: the processor, how many, and the load that
// is on it.
func Machine() string {
	name := runtime.GOARCH
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	load := "unknown"
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(raw), " ")
	}
	return fmt.Sprintf("%s, %d processors, %s, load before %s", name, runtime.NumCPU(), runtime.Version(), load)
}
