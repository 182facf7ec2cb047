package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"upnext/ingest/eventjson"
	"upnext/ingest/itemjson"
)

const (
	eventsAPost = 10 // events come in one post: a player gathers some
	countAsked  = 20 // items of a page
	looksInto   = 16 // of so many answers one is read: reading all would take the processors that the server needs
)

// phase is some time of one load, and what came of it.
type phase struct {
	world  *World
	server *Server
	serial *atomic.Int64 // of ids that must be new; shared by all phases
	random *rand.Rand    // of the recommendations

	latencies []time.Duration
	stages    stages
	failures  failures
	sources   map[string]int // that proposed the items of the answers that were read
	degraded  int
	short     int
	writes    atomic.Int64 // that were answered as they should
	looked    atomic.Int64 // pages that probes asked for
}

// newPhase is phase n of a run.
func (b *run) newPhase(n uint64) *phase {
	return &phase{world: b.World, server: b.server, serial: &b.serial, random: b.World.random(saltAsk, n), sources: map[string]int{}}
}

// run loads the server and returns when the last answer is in.
func (p *phase) run(ctx context.Context, load Load, during time.Duration) {
	var loading sync.WaitGroup
	loading.Go(func() { Attack(ctx, load.Requests, during, p.asks(), p.heard) })
	loading.Go(func() { Attack(ctx, load.Events/eventsAPost, during, p.acts(), p.wrote("events", http.StatusAccepted)) })
	loading.Go(func() { Attack(ctx, load.Items, during, p.puts(), p.wrote("items", http.StatusOK, http.StatusCreated)) })
	loading.Wait()
}

// asks makes requests for a page of a random viewer. Targeters are called by
// several goroutines.
func (p *phase) asks() vegeta.Targeter {
	var mu sync.Mutex
	return func(t *vegeta.Target) error {
		mu.Lock()
		v := p.random.IntN(p.world.Viewers)
		mu.Unlock()
		*t = jsonCall(http.MethodPost, p.server.URL+"/v1/recommend", askOf(v, ""))
		return nil
	}
}

func askOf(v int, filter string) []byte {
	body, _ := json.Marshal(struct { // strings and a number
		User    string `json:"user_id"`
		Session string `json:"session_id"`
		Count   int    `json:"count"`
		Filter  string `json:"filter,omitempty"`
	}{Viewer(v).ID, session(v), countAsked, filter})
	return body
}

// posted makes a post of events of random viewers, as their tastes go.
func (p *phase) posted(n int) ([]byte, error) {
	events := make([]eventjson.Event, n)
	for i := range events {
		serial := p.serial.Add(1)
		r := p.world.random(saltAct, uint64(serial))
		v := r.IntN(p.world.Viewers)
		e := p.world.act(r, v, p.world.taste(v), eventID(serial), time.Now())
		e.Session = session(v)
		events[i] = eventjson.Of(e)
	}
	return json.Marshal(events)
}

func (p *phase) acts() vegeta.Targeter {
	return func(t *vegeta.Target) error {
		body, err := p.posted(eventsAPost)
		*t = jsonCall(http.MethodPost, p.server.URL+"/v1/events", body)
		return err
	}
}

// puts makes upserts: of every two one changes an item and one is new.
func (p *phase) puts() vegeta.Targeter {
	return func(t *vegeta.Target) error {
		n := p.serial.Add(1)
		it := p.world.Item(p.world.random(saltPut, uint64(n)).IntN(p.world.Items))
		it.Title += fmt.Sprintf(" edition %d", n)
		if n%2 == 0 {
			it.ID, it.PublishedAt = ID(p.world.Items+int(n)), time.Now().Add(-time.Second)
		}
		body, err := itemjson.Encode(it)
		*t = jsonCall(http.MethodPut, p.server.URL+"/v1/items/"+string(it.ID), body)
		return err
	}
}

// heard notes an answer.
func (p *phase) heard(r *vegeta.Result, late time.Duration) {
	p.latencies = append(p.latencies, late)
	if r.Code != http.StatusOK || r.Error != "" {
		p.failures.add("recommend: %s", why(r))
		return
	}
	p.stages.add(r.Headers.Get("Server-Timing"))
	if !bytes.Contains(r.Body, []byte(`"degraded":[]`)) {
		p.degraded++
	}
	if bytes.Contains(r.Body, []byte(`"shortfall"`)) {
		p.short++
	}
	if len(p.latencies)%looksInto == 1 {
		p.look(r.Body)
	}
}

// look notes which sources the items of an answer come from.
func (p *phase) look(body []byte) {
	page, err := readPage(body)
	if err != nil {
		p.failures.add("recommend: %v", err)
		return
	}
	for _, it := range page {
		for _, s := range it.Sources {
			p.sources[s]++
		}
	}
}

// wrote returns what notes the failures of a kind of writes.
func (p *phase) wrote(what string, want ...uint16) func(*vegeta.Result, time.Duration) {
	return func(r *vegeta.Result, _ time.Duration) {
		for _, code := range want {
			if r.Error == "" && r.Code == code && !bytes.Contains(r.Body, []byte(`"problem"`)) {
				p.writes.Add(1)
				return
			}
		}
		p.failures.add("%s: %s", what, why(r))
	}
}

// why a request failed: without an answer, with a refusal, or with less than all
// of it taken.
func why(r *vegeta.Result) string {
	if r.Code == 0 {
		return r.Error
	}
	return refusal(int(r.Code), r.Body)
}

// shown is an item of an answer, as far as it is looked at.
type shown struct {
	ID      string   `json:"id"`
	Sources []string `json:"sources"`
}

func readPage(body []byte) ([]shown, error) {
	var page struct {
		Items []shown `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("an answer: %w", err)
	}
	return page.Items, nil
}
