package ingest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/embed"
	"upnext/index/flat"
	"upnext/ingest"
)

// TestSharedImport lets two workers bring one source in. What is read meanwhile
// never goes back.
func TestSharedImport(t *testing.T) {
	s := newSite(t)
	source, broken := s.manifest(1000)
	collections := flat.New()
	rate := map[int]float64{}
	for _, workers := range []int{1, 2} {
		var all []*worker
		began := time.Now()
		if workers == 2 {
			if _, err := s.conn.Exec(t.Context(), `DELETE FROM "`+s.schema+`".items; DELETE FROM "`+s.schema+`".indexings`); err != nil {
				t.Fatal(err)
			}
			collections = flat.New()
		}
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			for range workers {
				w := openWorker(t, s.url, s.path, collections)
				w.text.each = func(embed.Input) { time.Sleep(3 * time.Millisecond) } // as an endpoint takes its time
				w.run(t)
				all = append(all, w)
			}
			began = time.Now()
			imp := all[0].start(t, source)
			done := make(chan struct{})
			var watching sync.WaitGroup
			watching.Go(func() { onward(t, all[0], imp.ID, done) })
			imp = all[len(all)-1].wait(t, imp.ID)
			rate[workers] = float64(imp.Total) / time.Since(began).Seconds()
			close(done)
			watching.Wait()
			all[0].counted(t, imp, 1000, broken)
			for i, w := range all {
				if w.text.calls() == 0 {
					t.Errorf("worker %d has done nothing", i)
				}
			}
		})
	}
	t.Logf("items/s of an encoder that takes 3 ms: %.0f by one worker, %.0f by two", rate[1], rate[2])
}

// onward reads an import again and again: it goes on, and never back.
func onward(t *testing.T, w *worker, id upnext.ImportID, done chan struct{}) {
	var last upnext.Import
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		imp, err := w.store.Imports.Import(context.Background(), tenant, id)
		if err != nil {
			t.Error(err)
			return
		}
		if imp.Total < last.Total || imp.Created < last.Created || imp.Unchanged < last.Unchanged || imp.Failed < last.Failed ||
			ended(last.State) && imp.State != last.State || last.State == upnext.Running && imp.State == upnext.Queued {
			t.Errorf("the import went back from %+v to %+v", last, imp)
		}
		last = imp
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

func ended(s upnext.ImportState) bool {
	return s == upnext.Succeeded || s == upnext.Cancelled || s == upnext.Broken
}

// stuck is an encoder that waits for its context's end.
type stuck struct {
	*words
	begun chan struct{}
}

func (s stuck) Embed(ctx context.Context, _ ...embed.Input) ([][]float32, error) {
	s.begun <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestSharedCancel cancels an import that two workers are at from one of them.
func TestSharedCancel(t *testing.T) {
	s := newSite(t)
	source, _ := s.manifest(2000)
	collections := flat.New()
	var all []*worker
	for range 2 {
		w := openWorker(t, s.url, s.path, collections)
		w.Text = stuck{w.text, make(chan struct{}, 100)}
		w.run(t)
		all = append(all, w)
	}
	imp := all[0].start(t, source)
	for _, w := range all {
		<-w.Text.(stuck).begun
	}
	imp, err := all[0].im.Cancel(t.Context(), tenant, imp.ID)
	if err != nil || imp.State != upnext.Cancelled {
		t.Fatalf("cancel: %+v, %v", imp, err)
	}
	if got := all[1].wait(t, imp.ID); got.State != upnext.Cancelled {
		t.Errorf("the other worker sees %+v", got)
	}
	eventually(t, "no job is left", func() bool {
		n, err := all[1].queue.Waiting(t.Context(), string(imp.ID))
		return err == nil && n == 0
	})
	all[1].nothingKept(t)
	if got, err := all[1].im.Cancel(t.Context(), tenant, imp.ID); err != nil || got.State != upnext.Cancelled {
		t.Errorf("cancelled again elsewhere: %+v, %v", got, err)
	}
}

// sharedURL and sharedPath tell the test's own program to be a worker that is killed.
const (
	sharedURL  = "UPNEXT_TEST_SHARED_URL"
	sharedPath = "UPNEXT_TEST_SHARED_PATH"
)

// TestSharedChild is a worker that says what it gives to the encoder.
func TestSharedChild(t *testing.T) {
	if os.Getenv(sharedURL) == "" {
		t.Skip("runs as the child of TestSharedKill")
	}
	w := openWorker(t, os.Getenv(sharedURL), os.Getenv(sharedPath), flat.New())
	w.text.each = func(embed.Input) { fmt.Println("encoded") }
	w.run(t)
	fmt.Println("working")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its parent is
}

// TestSharedKill kills one of two workers with -9 in the middle: the other one
// does what is left, and each item counts once.
func TestSharedKill(t *testing.T) {
	s := newSite(t)
	source, broken := s.manifest(1500)
	w := openWorker(t, s.url, s.path, flat.New())
	gate := make(chan struct{})
	w.text.each = func(embed.Input) { <-gate } // at its first batches until the other is dead
	w.run(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSharedChild$", "-test.v")
	child.Env = append(os.Environ(), sharedURL+"="+s.url, sharedPath+"="+s.path)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }() // the child is dead by then
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, encoded := bufio.NewScanner(out), 0
	var imp upnext.Import
	for encoded < 500 && said.Scan() {
		switch {
		case strings.HasPrefix(said.Text(), "working"):
			imp = w.start(t, source)
		case strings.HasSuffix(said.Text(), "encoded"):
			encoded++
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed: its status says so
	close(gate)
	if encoded < 500 {
		t.Fatalf("the child has encoded %d, want 500 before it is killed", encoded)
	}
	w.counted(t, w.wait(t, imp.ID), 1500, broken)
}

// TestSharedAbsent takes the folder of a source away: the import waits for a
// process that has it, and does not wait for ever.
func TestSharedAbsent(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprintf("back %v", back), func(t *testing.T) {
			s := newSite(t)
			source, broken := s.manifest(100)
			starter := openWorker(t, s.url, s.path, flat.New())
			imp := starter.start(t, source)
			if err := os.Rename(source, source+"-elsewhere"); err != nil {
				t.Fatal(err)
			}
			w := openWorker(t, s.url, s.path, flat.New())
			var mu sync.Mutex
			asked, late := 0, time.Duration(0)
			w.Now = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				asked++
				return time.Now().Add(late)
			}
			w.run(t)
			eventually(t, "the folder is looked for", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return asked > 2
			})
			if back {
				if err := os.Rename(source+"-elsewhere", source); err != nil {
					t.Fatal(err)
				}
				starter.counted(t, starter.wait(t, imp.ID), 100, broken)
				return
			}
			mu.Lock()
			late = time.Hour
			mu.Unlock()
			if imp = starter.wait(t, imp.ID); imp.State != upnext.Broken || !strings.Contains(imp.Error, "no process has had the source") || !strings.Contains(imp.Error, source) {
				t.Errorf("import: %+v, want failed for want of %s", imp, source)
			}
		})
	}
}

// TestSharedCrashes gives an import up whose step kills those who work it.
func TestSharedCrashes(t *testing.T) {
	s := newSite(t)
	source, _ := s.manifest(100)
	w := openWorker(t, s.url, s.path, flat.New())
	imp := w.start(t, source)
	if _, err := s.conn.Exec(t.Context(), `UPDATE "`+s.schema+`_river".river_job SET metadata = jsonb_set(metadata, '{upnext_crashes}', '5')`); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	if imp = w.wait(t, imp.ID); imp.State != upnext.Broken || !strings.Contains(imp.Error, "the listing: 5 processes died") {
		t.Errorf("import: %+v, want failed for its processes' deaths", imp)
	}
}

// TestSharedHistory brings one history in by two imports that end at once, in
// whatever processes: one of them writes it, and each counts all of it.
func TestSharedHistory(t *testing.T) {
	const lines, broken = 30_000, 30
	s := newSite(t)
	var text strings.Builder
	for i := range lines {
		if i%1000 == 7 {
			text.WriteString("broken\n")
			continue
		}
		fmt.Fprintf(&text, `{"kind":"view","at":"2020-01-01T00:00:00Z","user_id":"u%d","item_id":"i%d"}`+"\n", i%97, i)
	}
	write(t, s.path, map[string]string{"past.ndjson": text.String()})
	var all []*worker
	var imps []upnext.Import
	for range 2 {
		w := openWorker(t, s.url, s.path, flat.New())
		imp, err := w.im.Start(t.Context(), tenant, ingest.ImportRequest{Source: s.path + "/past.ndjson", Format: ingest.Events})
		if err != nil {
			t.Fatal(err)
		}
		all, imps = append(all, w), append(imps, imp)
	}
	for _, w := range all {
		w.run(t)
	}
	for _, imp := range imps {
		for _, w := range all {
			if imp = w.wait(t, imp.ID); imp.State != upnext.Succeeded || imp.Events != lines-broken || imp.Failed != broken || imp.Causes["syntax"] != broken {
				t.Errorf("import: %+v, want %d events and %d broken lines", imp, lines-broken, broken)
			}
		}
	}
	var events int
	if err := s.conn.QueryRow(t.Context(), `SELECT count(*) FROM "`+s.schema+`".events`).Scan(&events); err != nil || events != lines-broken {
		t.Errorf("%d events are kept, %v, want %d", events, err, lines-broken)
	}
}
