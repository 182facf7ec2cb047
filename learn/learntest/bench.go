//go:build unix

package learntest

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"upnext/learn"
)

// Films is the log of MovieLens 1M in UPNEXT_DATA, each viewer's newest leave
// acts left out; without the data the benchmark is skipped.
func Films(b *testing.B, leave int) (log learn.Log) {
	b.Helper()
	dir := os.Getenv("UPNEXT_DATA")
	if dir == "" {
		b.Skip("UPNEXT_DATA is not set")
	}
	f, err := os.Open(filepath.Join(dir, "ml-1m", "sequences_sas.txt.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() { // viewer, tab, items from 1
		_, list, _ := strings.Cut(lines.Text(), "\t")
		var h learn.History
		for _, field := range strings.Fields(list) {
			n, err := strconv.Atoi(field)
			if err != nil {
				b.Fatal(err)
			}
			h.Items = append(h.Items, int32(n-1))
			log.Items = max(log.Items, n)
		}
		h.Items = h.Items[:len(h.Items)-leave]
		log.Viewers = append(log.Viewers, h)
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	return log
}

// ProcessorSeconds is what this process has used of all processors: it says more
// than the clock on a busy machine.
func ProcessorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
