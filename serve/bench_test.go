package serve

import (
	"fmt"
	"testing"

	"upnext"
)

// BenchmarkRecommend answers a viewer with a history, 10,000 items on the
// shelf: a page as it is repeated, after an event, filtered, for nobody,
// similar items and a search. The index is the exact one, which looks at
// everything.
func BenchmarkRecommend(b *testing.B) {
	w := newWorld(b, 1250, nil)
	for v := range 200 {
		var events []upnext.Event
		for i := range 40 {
			events = append(events, upnext.Event{
				ID: upnext.EventID(fmt.Sprintf("%d-%d", v, i)), Kind: upnext.Like, At: w.now, Viewer: user(fmt.Sprintf("v%d", v)),
				Item: itemOf(topics[(v+i%5)%8], (v*7+i*13)%1250).ID,
			})
		}
		if _, err := w.rec.Feedback(b.Context(), tenantT, events...); err != nil {
			b.Fatal(err)
		}
	}
	w.refresh()
	ann := user("v1")
	for _, bb := range []struct {
		name string
		req  upnext.Request
	}{
		{"page", upnext.Request{Viewer: ann}},
		{"filter", upnext.Request{Viewer: ann, Filter: "'chess' in tags and duration_ms < 900000"}},
		{"nobody", upnext.Request{}},
		{"similar", upnext.Request{Like: []upnext.ItemID{"space-001"}}},
		{"search", upnext.Request{Query: "a film about space"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.asks(bb.req)
				w.rec.slates.take(1000)
			}
		})
	}
	b.Run("event and page", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			w.does("v1", upnext.Event{Kind: upnext.Like, Item: itemOf(topics[i%8], i%1250).ID})
			w.asks(upnext.Request{Viewer: ann})
			w.rec.slates.take(1000)
		}
	})
}

// BenchmarkRerank arranges a page of 20 out of the 150 best candidates of a
// viewer with a history.
func BenchmarkRerank(b *testing.B) {
	w := newWorld(b, 1250, nil)
	for i := range 40 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf(topics[i%5], i*13).ID})
	}
	w.refresh()
	q, err := w.rec.begin(b.Context(), tenantT, upnext.Request{Viewer: user("ann"), Count: 20}, nil)
	if err != nil {
		b.Fatal(err)
	}
	ranked := w.rec.blend(b.Context(), q, w.rec.recall(b.Context(), q))
	if len(ranked) < 150 {
		b.Fatalf("%d candidates", len(ranked))
	}
	b.ReportAllocs()
	for b.Loop() {
		if placed := w.rec.rerank(b.Context(), q, ranked[:150]); len(placed) != 20 {
			b.Fatalf("%d placed", len(placed))
		}
	}
}
