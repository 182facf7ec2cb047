package serve

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/serve/rule"
	"upnext/serve/shelf"
	"upnext/serve/source"
)

// watch is a progress event that leaves an item at some minute.
func watch(item upnext.ItemID, minute int) upnext.Event {
	at := time.Duration(minute) * time.Minute
	return upnext.Event{Kind: upnext.Progress, Item: item, Watch: &upnext.Watch{Watched: at, Position: at}}
}

// bringsOf returns the item that a source has brought to a page, and its reason
// of a code.
func bringsOf(s upnext.Slate, by, code string) (upnext.ItemID, upnext.Reason) {
	for _, p := range s.Items {
		for _, r := range p.Reasons {
			if slices.Contains(p.Sources, by) && r.Code == code {
				return p.Item, r
			}
		}
	}
	return "", upnext.Reason{}
}

// TestNow takes each source of the present through its whole life: it brings
// its item, says why in the viewer's language, and lets go of it.
func TestNow(t *testing.T) {
	episode := func(n int) upnext.Item {
		it := itemOf("chess", 40+n)
		it.SeriesID, it.Episode = "opening moves", n
		return it
	}
	stream := itemOf("chess", 50)
	stream.Kind, stream.RoomState, stream.Duration = "live", upnext.RoomOn, 0
	tests := []struct {
		name, source, code, zh string
		begin                  func(w *world)
		want                   upnext.ItemID
		end                    func(w *world)
	}{
		{"session", "session", "this_session", "接着你刚看的《A chess film, number 3》", func(w *world) {
			w.does("ann", upnext.Event{Kind: upnext.Play, Item: "chess-003", Session: "s"})
		}, "", nil},
		{"friends", "friends", "liked_by_friends", "你关注的人喜欢", func(w *world) {
			w.does("bob", upnext.Event{Kind: upnext.Like, Item: "chess-007"})
			w.does("ann", upnext.Event{Kind: upnext.Follow, Target: "bob"})
		}, "chess-007", func(w *world) { w.does("ann", upnext.Event{Kind: upnext.Unfollow, Target: "bob"}) }},
		{"a friend takes the like back", "friends", "liked_by_friends", "你关注的人喜欢", func(w *world) {
			w.does("bob", upnext.Event{ID: "bobs", Kind: upnext.Like, Item: "chess-007"})
			w.does("ann", upnext.Event{Kind: upnext.Follow, Target: "bob"})
		}, "chess-007", func(w *world) {
			if err := w.rec.Retract(w.t.Context(), tenantT, user("bob"), "bobs"); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"continue", "continue", "continue", "从 2:00 继续观看", func(w *world) { w.does("ann", watch("chess-003", 2)) },
			"chess-003", func(w *world) { w.does("ann", watch("chess-003", 5)) }},
		{"continue until skipped", "continue", "continue", "从 2:00 继续观看", func(w *world) { w.does("ann", watch("chess-003", 2)) },
			"chess-003", func(w *world) { w.does("ann", upnext.Event{Kind: upnext.Skip, Item: "chess-003"}) }},
		{"episode", "episode", "next_episode", "《A chess film, number 41》的下一集", func(w *world) { w.does("ann", watch("chess-041", 5)) },
			"chess-042", func(w *world) { w.does("ann", watch("chess-042", 5)) }},
		{"live", "live", "live_now", "正在直播", func(w *world) {
			w.does("ann", upnext.Event{Kind: upnext.Follow, Creator: stream.CreatorID})
		}, "chess-050", func(w *world) {
			over := stream
			over.RoomState = upnext.RoomOff
			w.put(over)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 20, nil)
			w.put(episode(1), episode(2), episode(3), stream)
			w.history("ann")
			tt.begin(w)
			w.refresh()
			req := upnext.Request{Viewer: user("ann"), Session: "s", Locale: "zh-CN"}
			s := w.asks(req)
			got, why := bringsOf(s, tt.source, tt.code)
			if got == "" || tt.want != "" && got != tt.want || why.Text != tt.zh {
				t.Fatalf("%s brings %q, as %q; want %q, as %q: %+v", tt.source, got, why.Text, tt.want, tt.zh, s.Items)
			}
			if len(s.Degraded) > 0 || len(s.Items) != 20 {
				t.Errorf("degraded %v, %d items", s.Degraded, len(s.Items))
			}
			if tt.end == nil {
				return
			}
			tt.end(w)
			w.refresh()
			if got, _ := bringsOf(w.asks(req), tt.source, tt.code); got == tt.want {
				t.Errorf("%s still brings %q", tt.source, got)
			}
		})
	}
}

// TestBegunIsSeen: but for Continue what is begun counts as seen, and so it
// does in every answer that Continue has no part in.
func TestBegunIsSeen(t *testing.T) {
	w := newWorld(t, 20, func(c *Config) { c.Settings.Few["continue"] = 0 })
	w.history("ann")
	w.does("ann", watch("chess-003", 2))
	if _, ok := find(w.page("ann"), "chess-003"); ok {
		t.Error("with Continue switched off what was watched in part is on the page")
	}
	if _, ok := find(w.asks(upnext.Request{Viewer: user("ann"), Like: []upnext.ItemID{"chess-004"}}), "chess-003"); ok {
		t.Error("among similar ones is what was watched in part")
	}
}

// bad is a source that does wrong in some way what another one does right.
type bad struct {
	source.Source
	how string
}

func (b bad) Recall(ctx context.Context, ask source.Ask, n int) ([]source.Candidate, error) {
	found, err := b.Source.Recall(ctx, ask, n)
	lie := ask.Shelf.Newest()[0]
	switch b.how {
	case "killed":
		return nil, errors.New("connection refused")
	case "panics":
		panic("out of its mind")
	case "slow":
		<-ctx.Done()
		return found, ctx.Err()
	case "hangs":
		select {}
	case "unknown items":
		return append([]source.Candidate{{}, {Item: &shelf.Item{Record: upnext.Record{Item: upnext.Item{ID: "made up"}}}}}, found...), err
	case "no numbers":
		return append([]source.Candidate{{Item: lie, Score: math.NaN()}, {Item: lie, Score: math.Inf(1)}}, found...), err
	case "repeats":
		return slices.Repeat([]source.Candidate{{Item: lie, Score: 1}}, 3), err
	case "too many":
		var all []source.Candidate
		for _, it := range ask.Shelf.Newest() {
			all = append(all, source.Candidate{Item: it})
		}
		return slices.Concat(all, all, all, all), err
	}
	return found, err
}

// TestEachSource kills, slows and makes lie each source in turn. The page stays
// full and within its deadline, the answer names the source, and no lie is in it.
func TestEachSource(t *testing.T) {
	ways := map[string]string{
		"killed": "connection refused", "panics": "out of its mind", "slow": "no answer within", "hangs": "no answer within",
		"unknown items": "unknown items", "no numbers": "no numbers", "repeats": "more than once", "too many": "were asked for",
	}
	for at, victim := range DefaultSources().Page {
		for how, says := range ways {
			t.Run(victim.Name()+" "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, 15, func(c *Config) {
					sources := DefaultSources()
					sources.Page[at] = bad{victim, how}
					c.Sources, c.Settings.SourceDeadline = &sources, 60*time.Millisecond
				})
				w.history("ann")
				w.refresh()
				began := time.Now()
				s := w.asks(upnext.Request{Viewer: user("ann"), Session: "s", Deadline: time.Second})
				if took := time.Since(began); took > time.Second {
					t.Errorf("the answer took %s, past its deadline of 1 s", took)
				}
				if len(s.Items) != 20 {
					t.Errorf("%d items, want a full page", len(s.Items))
				}
				if len(s.Degraded) != 1 || s.Degraded[0].Stage != victim.Name() || !strings.Contains(s.Degraded[0].Reason, says) {
					t.Errorf("degraded %v, want %s: %s", s.Degraded, victim.Name(), says)
				}
				met := map[upnext.ItemID]bool{}
				for _, p := range s.Items {
					if _, ok := w.rec.Record(tenantT, p.Item); !ok || met[p.Item] || math.IsNaN(p.Score) || math.IsInf(p.Score, 0) {
						t.Errorf("%s with the score %g is on the page", p.Item, p.Score)
					}
					met[p.Item] = true
				}
			})
		}
	}
}

// TestOtherReplica: each act of a viewer at one Recommender is in the next
// answer there and in its trace, and within a second in that of another one on the
// same store.
func TestOtherReplica(t *testing.T) {
	stream := itemOf("space", 30)
	stream.Kind, stream.RoomState = "live", upnext.RoomOn
	has := func(s upnext.Slate, topic string) bool { return about(s, topic) > 0 }
	lacks := func(id upnext.ItemID) func(upnext.Slate) bool {
		return func(s upnext.Slate) bool { _, ok := find(s, id); return !ok && len(s.Items) == 20 }
	}
	// What the trace says of it, too: who brought what, and why the guard turned items away.
	brought := func(source string) func(upnext.Slate) bool {
		return func(s upnext.Slate) bool {
			return slices.ContainsFunc(s.Trace.Candidates, func(c upnext.Placed) bool { return slices.Contains(c.Sources, source) })
		}
	}
	turned := func(cause rule.Cause) func(upnext.Slate) bool {
		return func(s upnext.Slate) bool {
			return slices.ContainsFunc(s.Trace.Sources, func(b upnext.Brought) bool { return b.Turned[string(cause)] > 0 })
		}
	}
	tests := []struct {
		name  string
		act   upnext.Event
		holds func(upnext.Slate) bool
		trace func(upnext.Slate) bool
	}{
		{"like", upnext.Event{Kind: upnext.Like, Item: "cooking-010"}, func(s upnext.Slate) bool {
			_, why := bringsOf(s, "taste", "because_liked")
			return about(s, "cooking") >= 3 && why.Item != ""
		}, func(s upnext.Slate) bool { // the liked item led to others, which it raised
			return slices.ContainsFunc(s.Trace.Candidates, func(c upnext.Placed) bool {
				return c.Features["taste"] > 0.5 && slices.ContainsFunc(c.Origins, func(o upnext.Origin) bool { return o.From == "cooking-010" })
			})
		}},
		{"skip", upnext.Event{Kind: upnext.Skip, Item: "space-004"}, lacks("space-004"), func(s upnext.Slate) bool { // what is like it is held against
			return slices.ContainsFunc(s.Trace.Candidates, func(c upnext.Placed) bool { return c.Features["disliked"] > 0.5 })
		}},
		{"not interested in an item", upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeItem, Item: "space-004"}, lacks("space-004"), turned(rule.Unwanted)},
		{"not interested in a creator", upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeCreator, Creator: "c-space-4"}, func(s upnext.Slate) bool {
			return lacks("space-004")(s) && lacks("space-009")(s) && has(s, "space")
		}, turned(rule.UnwantedMaker)},
		{"not interested in a topic", upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeTopic, Topic: "space"}, func(s upnext.Slate) bool { return !has(s, "space") }, turned(rule.UnwantedTopic)},
		{"block", upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeCreator, Creator: "c-space-4"}, lacks("space-004"), turned(rule.UnwantedMaker)},
		{"mute", upnext.Event{Kind: upnext.Mute, Scope: upnext.ScopeTopic, Topic: "space"}, func(s upnext.Slate) bool { return !has(s, "space") }, turned(rule.UnwantedTopic)},
		{"follow a creator", upnext.Event{Kind: upnext.Follow, Creator: "c-chess-1"}, func(s upnext.Slate) bool {
			id, _ := bringsOf(s, "followed", "from_followed")
			return strings.HasPrefix(string(id), "chess-")
		}, brought("followed")},
		{"follow a user", upnext.Event{Kind: upnext.Follow, Target: "bob"}, func(s upnext.Slate) bool {
			id, _ := bringsOf(s, "friends", "liked_by_friends")
			return id == "gardening-007"
		}, brought("friends")},
		{"search", upnext.Event{Kind: upnext.Search, Query: "football film"}, func(s upnext.Slate) bool {
			id, why := bringsOf(s, "searched", "searched")
			return strings.HasPrefix(string(id), "football-") && why.Text == "You searched for “football film”" && about(s, "football") >= 2
		}, func(s upnext.Slate) bool {
			return slices.ContainsFunc(s.Trace.Candidates, func(c upnext.Placed) bool {
				return c.Features["searched"] > 0 && slices.ContainsFunc(c.Origins, func(o upnext.Origin) bool { return o.About == "football film" })
			})
		}},
		{"begin", watch("history-003", 2), func(s upnext.Slate) bool {
			id, _ := bringsOf(s, "continue", "continue")
			return id == "history-003"
		}, brought("continue")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 20, nil)
			w.history("ann")
			w.does("bob", upnext.Event{Kind: upnext.Like, Item: "gardening-007"})
			w.refresh()
			other := New(w.cfg)
			req := upnext.Request{Viewer: user("ann"), Session: "s", Explain: ExplainTrace}
			there := func() upnext.Slate {
				s, err := other.Recommend(t.Context(), tenantT, req)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			there() // ann is held there from now on
			if before := w.asks(req); tt.holds(before) || tt.trace(before) {
				t.Fatal("it holds before the act: the test says nothing")
			}
			tt.act.Session = "s"
			w.does("ann", tt.act)
			if s := w.asks(req); !tt.holds(s) || !tt.trace(s) {
				t.Errorf("the next answer has not felt it: %v; in the trace: %t", ids(s), tt.trace(s))
			}
			if err := other.Refresh(t.Context(), tenantT); err != nil { // Run does so when it is told, and every second
				t.Fatal(err)
			}
			if s := there(); !tt.holds(s) || !tt.trace(s) {
				t.Errorf("the other replica has not felt it: %v; in the trace: %t", ids(s), tt.trace(s))
			}
		})
	}
}

// TestGoneEverywhere: a stream that ends and an item that is blocked are gone
// from every kind of answer of two running replicas within 5 s. They look at
// the stores by themselves; nobody tells them.
func TestGoneEverywhere(t *testing.T) {
	w := newWorld(t, 8, func(c *Config) { c.Now, c.Settings.FollowEvery = time.Now, 100*time.Millisecond })
	stream := itemOf("chess", 50)
	stream.Kind, stream.RoomState = "live", upnext.RoomOn
	video := itemOf("chess", 51)
	w.put(stream, video)
	other := New(w.cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for _, r := range []*Recommender{w.rec, other} {
		go func() { done <- r.Run(ctx) }()
	}
	defer func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}()
	answers := func(r *Recommender) (with int) {
		for _, req := range []upnext.Request{
			{Viewer: user("ann"), Count: 80},
			{Viewer: user("ann"), Count: 80, Like: []upnext.ItemID{"chess-001"}},
			{Viewer: user("ann"), Count: 80, Query: "chess film"},
			{Viewer: user("ann"), Count: 80, Filter: "kind == 'live' or 'chess' in tags", Backfill: "popular"},
			{Viewer: user("ann"), Candidates: []upnext.ItemID{"chess-002", stream.ID, video.ID}},
		} {
			s, err := r.Recommend(ctx, tenantT, req)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []upnext.ItemID{stream.ID, video.ID} {
				if _, ok := find(s, id); ok {
					with++
				}
			}
		}
		first, err := r.Recommend(ctx, tenantT, upnext.Request{Viewer: user("ann"), Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		rest, _, err := r.Next(ctx, tenantT, first.Next, 80)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []upnext.ItemID{stream.ID, video.ID} {
			for _, s := range []upnext.Slate{first, rest} {
				if _, ok := find(s, id); ok {
					with++
				}
			}
		}
		page, err := r.Page(ctx, tenantT, upnext.PageRequest{Request: upnext.Request{Viewer: user("ann"), Count: 80}, Rows: []upnext.Row{{Name: "all"}, {Name: "live", Sources: []string{"live"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			for _, id := range []upnext.ItemID{stream.ID, video.ID} {
				if _, ok := find(row.Slate, id); ok {
					with++
				}
			}
		}
		return with
	}
	for name, r := range map[string]*Recommender{"first": w.rec, "second": other} {
		for start := time.Now(); answers(r) != 14; time.Sleep(10 * time.Millisecond) {
			if time.Since(start) > 5*time.Second {
				t.Fatalf("the %s replica shows them %d times of 14", name, answers(r))
			}
		}
	}
	stream.RoomState, video.Status = upnext.RoomOff, upnext.Blocked
	if _, err := w.cfg.Catalog.Put(ctx, tenantT, upnext.Record{Item: stream, Hash: "1"}, upnext.Record{Item: video, Hash: "2"}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for name, r := range map[string]*Recommender{"first": w.rec, "second": other} {
		for ; answers(r) > 0; time.Sleep(5 * time.Millisecond) {
			if time.Since(start) > 5*time.Second {
				t.Fatalf("the %s replica still shows them after 5 s", name)
			}
		}
	}
	t.Logf("gone from every answer of both replicas after %s", time.Since(start).Round(time.Millisecond))
}
