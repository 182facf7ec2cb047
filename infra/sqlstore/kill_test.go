package sqlstore_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/infra/sqlstore"
)

// childFile names, in a child process of TestKilled, the URL of the database to fill.
const childFile = "UPNEXT_TEST_SQLSTORE_CHILD"

// TestKilled kills a process that appends events and puts items, at random
// moments from its first start on: what it had acknowledged is there.
func TestKilled(t *testing.T) {
	if url := os.Getenv(childFile); url != "" {
		fill(t, url)
		return
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "killed.db")
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := map[string]bool{}
	const rounds, early = 14, 5
	for round := range rounds {
		// The first ones die while they make or open the database, the others at work.
		lines, wait := 0, time.Duration(random.IntN(150))*time.Millisecond
		if round >= early {
			lines, wait = 1+random.IntN(400), time.Duration(random.IntN(20))*time.Millisecond
		}
		for _, line := range runAndKill(t, url, round, lines, wait) {
			acknowledged[line] = true
		}
		compareKept(t, url, acknowledged)
	}
	if len(acknowledged) < rounds*10 {
		t.Errorf("%d writes were acknowledged in %d rounds, too few to show anything", len(acknowledged), rounds)
	}
}

// runAndKill runs a child until it has printed some lines, waits, kills it and
// returns all that it printed.
func runAndKill(t *testing.T, url string, round, lines int, wait time.Duration) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), childFile+"="+url, fmt.Sprint("UPNEXT_TEST_ROUND=", round))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var printed []string
	scanner := bufio.NewScanner(out)
	for len(printed) < lines && scanner.Scan() {
		printed = append(printed, scanner.Text())
	}
	if len(printed) < lines {
		t.Fatalf("the child ended after %d lines: %v, %q", len(printed), child.Wait(), printed)
	}
	timer := time.AfterFunc(wait, func() { _ = child.Process.Kill() })
	defer timer.Stop()
	for scanner.Scan() {
		printed = append(printed, scanner.Text())
	}
	_ = child.Wait() // its status says that it was killed
	return printed
}

// fill writes from eight goroutines and prints each acknowledged id, until killed.
func fill(t *testing.T, url string) {
	s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acknowledge := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		// One write a line, past every buffer of this process.
		if _, err := os.Stdout.WriteString(id + "\n"); err != nil {
			os.Exit(1)
		}
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", os.Getenv("UPNEXT_TEST_ROUND"), w, n)
				var err error
				if w == 0 {
					_, err = s.Catalog.Put(context.Background(), "a", upnext.Record{Item: upnext.Item{ID: upnext.ItemID(id)}})
					id = "item " + id
				} else {
					_, err = s.Events.Append(context.Background(), "a", upnext.Event{
						ID: upnext.EventID(id), Kind: upnext.View, At: time.Now(), Viewer: upnext.ViewerID{ID: "v"}, Item: "x",
					})
					id = "event " + id
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, "child:", err)
					os.Exit(1)
				}
				acknowledge(id)
			}
		})
	}
	wg.Wait()
}

func compareKept(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	s := openURL(t, url)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	kept := map[string]bool{}
	events, err := s.Events.Since(t.Context(), "a", 0, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		kept["event "+string(e.ID)] = true
	}
	records, err := s.Catalog.List(t.Context(), "a", "", "", math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		kept["item "+string(r.Item.ID)] = true
	}
	for id := range acknowledged {
		if !kept[id] {
			t.Errorf("%s was acknowledged and is gone", id)
		}
	}
}

func openFile(t *testing.T, file string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
