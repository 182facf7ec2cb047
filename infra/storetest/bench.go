package storetest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
)

// Bench measures a database; "/s" is of events or items, whichever it writes.
func Bench(b *testing.B, open Open) {
	b.Run("events 100 a call, 4 writers", func(b *testing.B) { benchAppend(b, open(b, fmt.Sprint("events", b.N)), 4, 100) })
	b.Run("events 1 a call, 16 writers", func(b *testing.B) { benchAppend(b, open(b, fmt.Sprint("events", b.N)), 16, 1) })
	b.Run("events 1 a call, 1 writer", func(b *testing.B) { benchAppend(b, open(b, fmt.Sprint("events", b.N)), 1, 1) })
	b.Run("items 100 a call", func(b *testing.B) { benchPut(b, open(b, "items"), false) })
	b.Run("items 100 a call, unchanged", func(b *testing.B) { benchPut(b, open(b, "items"), true) })
	b.Run("a viewer's 1000 events", func(b *testing.B) { benchByViewer(b, open(b, "viewer")) })
}

// benchAppend spreads events over 1,000 viewers. It runs once for each b.N, in a
// new database: the same events again would be duplicates.
func benchAppend(b *testing.B, s Stores, writers, batch int) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				events := make([]upnext.Event, batch)
				for i := range events {
					k := int(n)*batch + i
					events[i] = event(fmt.Sprint("viewer-", k*7919%1_000), k)
					events[i].Session, events[i].Surface, events[i].Token = "s-1234567", "home", strings.Repeat("t", 80)
					events[i].Watch = &upnext.Watch{Watched: time.Minute, Duration: time.Hour}
				}
				if _, err := s.Events.Append(b.Context(), a, events...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N*batch)/time.Since(start).Seconds(), "events/s")
}

// benchPut writes items of about 1 kB, as a catalogue without transcripts has.
func benchPut(b *testing.B, s Stores, unchanged bool) {
	const batch = 100
	fill := func(n int) []upnext.Record {
		batch := records(ids(fmt.Sprint("item-", n), batch), "a title of some words")
		for i := range batch {
			batch[i].Item.Description = strings.Repeat("word ", 160)
			batch[i].Item.Tags = []string{"one", "two", "three"}
			batch[i].Source = "file:catalogue"
		}
		return batch
	}
	if unchanged {
		_, err := s.Catalog.Put(b.Context(), a, fill(0)...)
		ok(b, "put", err)
	}
	n := 0
	for b.Loop() {
		if !unchanged {
			n++
		}
		if _, err := s.Catalog.Put(b.Context(), a, fill(n)...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "items/s")
}

// benchByViewer reads what the first request of a viewer after a restart reads.
func benchByViewer(b *testing.B, s Stores) {
	_, err := s.Events.Append(b.Context(), a, stream("ann", 1_000)...)
	ok(b, "append", err)
	for b.Loop() {
		got, err := s.Events.ByViewer(b.Context(), a, upnext.ViewerID{ID: "ann"}, 1_000)
		if err != nil || len(got) != 1_000 {
			b.Fatalf("%d events, %v", len(got), err)
		}
	}
}
