package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"upnext/bench"
)

// What the overloaded server has.
const (
	overloadItems   = 2000
	overloadViewers = 500
	overloadActs    = 15 // events of each viewer
)

// TestOverload finds the most pages a second that a server makes, asks for half
// as many again for as long as UPNEXT_SOAK_OVERLOAD says ("10m"; without it
// there is nothing to see), and then for half of the most. While it is
// overloaded events must all be kept and health must answer; it must make at
// least 90 % of the most, and its memory must not grow. The server has one half
// of the processors, who loads it the other.
func TestOverload(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("UPNEXT_SOAK_OVERLOAD"))
	if err != nil {
		t.Skip("UPNEXT_SOAK_OVERLOAD is not a duration")
	}
	server := spawnApart(t, append([]string{"serve", "--data-dir", t.TempDir(), "--log", "warn"}, strings.Fields(os.Getenv("UPNEXT_SOAK_ARGS"))...)...)
	server.waitReady()
	load := newOpenLoop(server.url, overloadViewers)
	fillMadeUp(t, load)

	pid := server.cmd.Process.Pid
	most, aSecond := findMost(t, load, pid)
	t.Logf("the most: %.0f pages/s, %.0f a second of processor", most, aSecond)
	calm := load.run(t.Context(), most/2, 5*time.Second)
	t.Logf("at half of it: %s", sum(calm, 5*time.Second))

	beside := besides{load: load, pid: pid}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { beside.run(ctx) })
	spent := processorOf(t, pid)
	heard := load.run(t.Context(), 1.5*most, lasts)
	spent = processorOf(t, pid) - spent
	dropped := time.Now()
	after := load.run(t.Context(), most/2, 10*time.Second)
	stop()
	watching.Wait()

	got := sum(heard, lasts)
	t.Logf("at 150 %%, %s: %s; %.1f %% of the most", lasts, got, 100*got.good/most)
	perSecond := got.good * lasts.Seconds() / spent.Seconds()
	t.Logf("it had %.0f %% of one processor: %.0f pages a second of it, %.1f %% of the most", 100*spent.Seconds()/lasts.Seconds(), perSecond, 100*perSecond/aSecond)
	t.Logf("beside: %d events, %d not kept; health asked %d times, %d without an answer, slowest %s", beside.events, beside.lost, beside.asked, beside.unwell, beside.slowest)
	grown := thirdsOf(beside.memory)
	for i, third := range []string{"first", "last"} {
		m := grown.Resident[i]
		t.Logf("resident in the %s third: %d to %d MB, median %d", third, m.Min>>20, m.Max>>20, m.Median>>20)
	}
	back := recovery(after, dropped, 3*sum(calm, 5*time.Second).p99)
	t.Logf("after the load drops to half: well again in %s; then %s", back, sum(after, 10*time.Second))

	switch before, last := grown.Resident[0].Median, grown.Resident[1].Median; {
	case got.good < .9*most:
		t.Errorf("%.0f pages/s under the overload, want 90 %% of %.0f", got.good, most)
	case beside.lost > 0 || beside.unwell > 0:
		t.Error("events were lost, or health did not answer")
	case last > before+before/10+16<<20:
		t.Errorf("memory grows from %d to %d MB", before>>20, last>>20)
	case back > 5*time.Second:
		t.Errorf("well again after %s, want 5 s", back)
	}
}

// spawnApart starts a server on one half of the processors and keeps this
// process on the other: who loads must not take what is measured.
func spawnApart(t *testing.T, args ...string) *process {
	t.Helper()
	n := runtime.NumCPU()
	if n < 2 {
		return spawn(t, args...)
	}
	var theirs, ours unix.CPUSet
	for i := range n {
		if i < n/2 {
			theirs.Set(i)
		} else {
			ours.Set(i)
		}
	}
	runtime.LockOSThread() // a child inherits the processors of the thread that starts it
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, &theirs); err != nil {
		t.Logf("processors are shared: %v", err)
	}
	server := spawn(t, args...)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, th := range threads {
		if id, err := strconv.Atoi(th.Name()); err == nil {
			_ = unix.SchedSetaffinity(id, &ours) // a thread may have ended
		}
	}
	return server
}

// fillMadeUp puts a catalogue and what viewers did, over HTTP.
func fillMadeUp(t *testing.T, load *openLoop) {
	t.Helper()
	patient := *load.client
	patient.Timeout = 10 * time.Minute
	hasty := load.client
	load.client = &patient
	defer func() { load.client = hasty }()
	put := func(path, body string, want int) {
		t.Helper()
		if status, err := load.post(t.Context(), path, body); status != want {
			t.Fatalf("%s: %d %v", path, status, err)
		}
	}
	var lines strings.Builder
	for i := range overloadItems {
		topic := i % 40
		fmt.Fprintf(&lines, `{"id":"i%d","kind":"video","title":"a film about subject%d, number %d","tags":["subject%d"],"creator_id":"c%d","creator_name":"Maker %d","duration_ms":300000,"published_at":"2026-01-02T03:04:05Z"}`+"\n",
			i, topic, i, topic, i%150, i%150)
	}
	put("/v1/items?on_error=abort", "["+strings.ReplaceAll(strings.TrimSpace(lines.String()), "\n", ",")+"]", http.StatusOK)
	at := time.Now().UTC().Format(time.RFC3339Nano)
	for v := range overloadViewers {
		lines.Reset()
		for n := range overloadActs {
			fmt.Fprintf(&lines, `{"id":"e%d-%d","user_id":"v%d","kind":"like","item_id":"i%d","at":%q}`+"\n", v, n, v, (v%40+40*(n+v))%overloadItems, at)
		}
		put("/v1/events", "["+strings.ReplaceAll(strings.TrimSpace(lines.String()), "\n", ",")+"]", http.StatusAccepted)
	}
}

// findMost asks for more and more until more brings no more, twice, and returns
// the most pages a second of the clock, and of the server's processor time then:
// where others have the processors too, the second is what can be compared.
func findMost(t *testing.T, load *openLoop, pid int) (most, aSecond float64) {
	t.Helper()
	const each = 6 * time.Second
	load.run(t.Context(), 50, each) // viewers are read, the limit finds its place
	without := 0
	for rate := 100.0; without < 2; rate *= 1.2 {
		spent := processorOf(t, pid)
		got := sum(load.run(t.Context(), rate, each), each)
		spent = processorOf(t, pid) - spent
		t.Logf("%s; %.0f %% of one processor", got, 100*spent.Seconds()/each.Seconds())
		if without++; got.good > most {
			if got.good > 1.03*most {
				without = 0
			}
			most, aSecond = got.good, got.good*each.Seconds()/spent.Seconds()
		}
	}
	return most, aSecond
}

// processorOf is the processor time that a process has had.
func processorOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	d, err := bench.Processor(pid)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// besides is what goes on beside the flood of pages.
type besides struct {
	load    *openLoop
	pid     int
	events  int
	lost    int
	asked   int
	unwell  int
	slowest time.Duration
	memory  []bench.Memory
}

// run sends an event and asks for health ten times a second, and looks at the
// server's memory once a second.
func (b *besides) run(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		event := fmt.Sprintf(`{"id":"b%d","user_id":"v%d","kind":"view","item_id":"i%d","at":%q}`, n, n%overloadViewers, n%overloadItems, time.Now().UTC().Format(time.RFC3339Nano))
		if b.events++; b.status(ctx, http.MethodPost, "/v1/events", event) != http.StatusAccepted {
			b.lost++
		}
		began := time.Now()
		if b.asked++; b.status(ctx, http.MethodGet, []string{"/healthz", "/readyz"}[n%2], "") != http.StatusOK {
			b.unwell++
		}
		b.slowest = max(b.slowest, time.Since(began))
		if n%10 == 0 {
			if m, ok := bench.ReadMemory(b.pid); ok {
				b.memory = append(b.memory, m)
			}
		}
	}
}

func (b *besides) status(ctx context.Context, method, path, body string) int {
	ctx = context.WithoutCancel(ctx) // the last one shall end well
	req, err := http.NewRequestWithContext(ctx, method, b.load.url+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.load.client.Do(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// recovery is how long after the drop a second began in which each request had
// its page, 99 of 100 within limit.
func recovery(after []reply, dropped time.Time, limit time.Duration) time.Duration {
	slices.SortFunc(after, func(a, b reply) int { return a.due.Compare(b.due) })
	for _, r := range after {
		var times []time.Duration
		good := true
		for _, s := range after {
			if !s.due.Before(r.due) && s.due.Before(r.due.Add(time.Second)) {
				good = good && s.status == http.StatusOK
				times = append(times, s.took)
			}
		}
		if good && quantileOf(times, .99) <= limit {
			return r.due.Sub(dropped).Round(time.Millisecond)
		}
	}
	return time.Hour
}
