package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
)

// again is how often a post is sent a second time, as a client does that did
// not hear the answer: one of so many.
const again = 20

// TestEventRate posts events over HTTP, batches of 100 by 4 writers and then
// single ones by 16, to SQLite and to PostgreSQL: what was accepted, known
// already and refused is counted, and compared with what is in the database.
// UPNEXT_SOAK_EVENTS is how long each takes, "60s"; without it a moment.
func TestEventRate(t *testing.T) {
	lasts := 300 * time.Millisecond
	if s := os.Getenv("UPNEXT_SOAK_EVENTS"); s != "" {
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		set := &Settings{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Seed: 1, SlateDays: 30}
		eventRate(t, []string{"--data-dir", set.DataDir}, set, lasts)
	})
	t.Run("postgres", func(t *testing.T) {
		p := newPlatform(t, "UPNEXT_TEST_MILVUS")
		eventRate(t, p.args(), p.settings(), lasts)
	})
}

func eventRate(t *testing.T, args []string, set *Settings, lasts time.Duration) {
	server := spawn(t, append([]string{"serve"}, args...)...)
	server.waitReady()
	total := 0
	for _, load := range []struct{ writers, batch int }{{4, 100}, {16, 1}} {
		got := postEvents(t, server, load.writers, load.batch, lasts)
		t.Logf("%d an event post, %d writers, %s: %.0f events/s; %d accepted, %d sent again of which %d were known, %d errors",
			load.batch, load.writers, got.took.Round(time.Millisecond), float64(got.accepted)/got.took.Seconds(), got.accepted, got.repeated, got.duplicates, got.errors)
		if got.errors > 0 || got.duplicates != got.repeated || got.accepted == 0 {
			t.Errorf("%+v: want no errors, and every event that was sent again known", got)
		}
		total += int(got.accepted)
	}
	server.kill()
	e, err := open(t.Context(), set, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	kept := 0
	for after := int64(0); ; {
		events, err := e.store.Events.Since(t.Context(), upnext.DefaultTenant, after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		kept += len(events)
		after = events[len(events)-1].Seq
	}
	t.Logf("%d accepted, %d in the database after kill -9", total, kept)
	if kept != total {
		t.Errorf("%d events in the database, want %d", kept, total)
	}
}

// posted is what came of a load.
type posted struct {
	accepted, duplicates, repeated, errors int64
	took                                   time.Duration
}

func postEvents(t *testing.T, server *process, writers, batch int, lasts time.Duration) (sum posted) {
	start := time.Now()
	var posts atomic.Int64
	var mu sync.Mutex
	var working sync.WaitGroup
	for range writers {
		working.Go(func() {
			var own posted
			for time.Since(start) < lasts {
				n := posts.Add(1)
				body := eventBatch(fmt.Sprintf("%d-%d", batch, n), batch)
				own.post(t, server, body)
				if n%again == 0 {
					own.repeated += int64(batch)
					own.post(t, server, body)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			sum.accepted += own.accepted
			sum.duplicates += own.duplicates
			sum.repeated += own.repeated
			sum.errors += own.errors
		})
	}
	working.Wait()
	sum.took = time.Since(start)
	return sum
}

func (p *posted) post(t *testing.T, server *process, body string) {
	raw, err := server.call(http.MethodPost, "/v1/events", body)
	var said struct{ Accepted, Duplicates int64 }
	if err == nil {
		err = json.Unmarshal(raw, &said)
	}
	if err != nil {
		if p.errors++; p.errors == 1 {
			t.Error(err)
		}
		return
	}
	p.accepted += said.Accepted
	p.duplicates += said.Duplicates
}

// eventBatch makes events of 1,000 viewers, with ids of their own.
func eventBatch(id string, n int) string {
	var b strings.Builder
	at := time.Now().UTC().Format(time.RFC3339Nano)
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%s-%d","user_id":"u%d","session_id":"s","kind":"search","query":"words of a search","at":%q}`, id, i, (len(id)*31+i*7919)%1000, at)
	}
	b.WriteByte(']')
	return b.String()
}
