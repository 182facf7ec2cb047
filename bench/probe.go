package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"upnext"
	"upnext/ingest/eventjson"
	"upnext/ingest/itemjson"
)

// How often effects are looked for while the load goes on (of events at most, and
// not so often that the looks are a load of their own), how long one is waited
// for, and from one look for an item to the next.
const (
	eventEvery    = 100 * time.Millisecond
	eventShare    = 0.025 // of the requests
	itemEvery     = time.Second
	probePatience = 10 * time.Second
	itemAgain     = 10 * time.Millisecond
)

// probes look for effects of writes, as their writers would.
type probes struct {
	phase *phase

	mu     sync.Mutex
	events []time.Duration // from sending an event to an answer that knows of it
	items  []time.Duration // from sending an item to an answer with it
}

// run probes beside some requests a second until ctx ends, and returns when the
// last probe has.
func (p *probes) run(ctx context.Context, requests float64) {
	var probing sync.WaitGroup
	defer probing.Wait()
	every := max(eventEvery, time.Duration(float64(time.Second)/max(1, requests*eventShare)))
	event, item := time.NewTicker(every), time.NewTicker(itemEvery)
	defer event.Stop()
	defer item.Stop()
	probing.Go(func() { p.note(ctx, p.item, &p.items) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-event.C:
			probing.Go(func() { p.note(ctx, p.event, &p.events) })
		case <-item.C:
			probing.Go(func() { p.note(ctx, p.item, &p.items) })
		}
	}
}

// note takes one look, to its end.
func (p *probes) note(ctx context.Context, look func(context.Context) (time.Duration, error), into *[]time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probePatience)
	defer cancel()
	took, err := look(ctx)
	if err != nil {
		p.phase.failures.add("probe: %v", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	*into = append(*into, took)
}

// event watches the first item of a viewer's page to its end, and asks until the
// page is without it: it is seen, and not shown again.
func (p *probes) event(ctx context.Context) (time.Duration, error) {
	n := p.phase.serial.Add(1)
	v := p.phase.world.random(saltProbe, uint64(n)).IntN(p.phase.world.Viewers)
	page, err := p.page(ctx, v, "")
	if err != nil {
		return 0, err
	}
	if len(page) == 0 {
		return 0, fmt.Errorf("a page without items: %w", upnext.ErrUnavailable)
	}
	watched := page[0].ID
	body, err := eventjson.Encode(upnext.Event{
		ID: eventID(n), Kind: upnext.Complete, At: time.Now(), Viewer: Viewer(v), Session: session(v), Item: upnext.ItemID(watched),
		Watch: &upnext.Watch{Watched: time.Minute, Position: time.Minute, Duration: time.Minute},
	})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := p.phase.server.call(ctx, http.MethodPost, "/v1/events", body); err != nil {
		return 0, err
	}
	for {
		page, err := p.page(ctx, v, "")
		if err != nil {
			return 0, err
		}
		if !slices.ContainsFunc(page, func(s shown) bool { return s.ID == watched }) {
			return time.Since(began), nil
		}
	}
}

// item puts a new item with a tag of its own, and asks for it by that tag.
func (p *probes) item(ctx context.Context) (time.Duration, error) {
	n := p.phase.serial.Add(1)
	w := p.phase.world
	r := w.random(saltProbe, uint64(n))
	it, tag := w.Item(r.IntN(w.Items)), fmt.Sprintf("probe-%d", n)
	it.ID, it.Tags, it.PublishedAt = ID(w.Items+int(n)), append(it.Tags, tag), time.Now().Add(-time.Second)
	body, err := itemjson.Encode(it)
	if err != nil {
		return 0, err
	}
	v, began := r.IntN(w.Viewers), time.Now()
	if _, err := p.phase.server.call(ctx, http.MethodPut, "/v1/items/"+string(it.ID), body); err != nil {
		return 0, err
	}
	for {
		page, err := p.page(ctx, v, fmt.Sprintf("'%s' in tags", tag))
		if err != nil {
			return 0, err
		}
		if len(page) > 0 {
			return time.Since(began), nil
		}
		time.Sleep(itemAgain) // looking again is work, too: a wide recall
	}
}

func (p *probes) page(ctx context.Context, v int, filter string) ([]shown, error) {
	p.phase.looked.Add(1)
	body, err := p.phase.server.call(ctx, http.MethodPost, "/v1/recommend", askOf(v, filter))
	if err != nil {
		return nil, err
	}
	return readPage(body)
}
