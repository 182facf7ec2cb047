package serve

import (
	"testing"
	"time"

	"upnext"
	"upnext/serve/source"
)

// TestWhyNot: for each thing that can keep an item from a page, the stage and the
// rule that did; nothing else is changed for it, and without it the item is there.
func TestWhyNot(t *testing.T) {
	const id = upnext.ItemID("x")
	item := func(change func(*upnext.Item)) *upnext.Item {
		it := itemOf("space", 1)
		it.ID, it.Title, it.CreatorID, it.PublishedAt = id, "The one that is missed", "c-x", noon.Add(-time.Hour)
		if change != nil {
			change(&it)
		}
		return &it
	}
	ann := func(e upnext.Event) []upnext.Event { return []upnext.Event{e} }
	hour := time.Hour
	const same = "a text that is long enough to tell that two of an item are one"
	for _, c := range []struct {
		name     string
		item     *upnext.Item // nil: there is none
		apart    bool         // it is in the catalogue, and not in the index
		also     *upnext.Item
		does     []upnext.Event
		viewer   upnext.Viewer
		req      upnext.Request
		returned []upnext.ItemID
		stage    Stage
		rule     string
	}{
		{name: "nothing", item: item(nil), stage: StagePage},
		{name: "no such item", stage: StageGuard, rule: "gone"},
		{name: "hidden", item: item(func(it *upnext.Item) { it.Status = upnext.Hidden }), stage: StageGuard, rule: "inactive"},
		{name: "blocked by its owner", item: item(func(it *upnext.Item) { it.Status = upnext.Blocked }), stage: StageGuard, rule: "inactive"},
		{name: "a stream that ended", item: item(func(it *upnext.Item) { it.Kind, it.RoomState, it.Duration = "live", upnext.RoomOff, 0 }), stage: StageGuard, rule: "ended"},
		{name: "not yet", item: item(func(it *upnext.Item) { it.AvailableFrom = noon.Add(hour) }), stage: StageGuard, rule: "not_yet"},
		{name: "no longer", item: item(func(it *upnext.Item) { it.AvailableUntil = noon.Add(-hour) }), stage: StageGuard, rule: "expired"},
		{name: "elsewhere", item: item(func(it *upnext.Item) { it.Regions = []string{"CN"} }), viewer: upnext.Viewer{Region: "DE"}, stage: StageGuard, rule: "region"},
		{name: "too young", item: item(func(it *upnext.Item) { it.MinAge = 18 }), viewer: upnext.Viewer{BirthYear: 2015}, stage: StageGuard, rule: "age"},
		{name: "excluded", item: item(nil), req: upnext.Request{Exclude: upnext.Exclude{Items: []upnext.ItemID{id}}}, stage: StageGuard, rule: "excluded"},
		{name: "its creator is excluded", item: item(nil), req: upnext.Request{Exclude: upnext.Exclude{Creators: []string{"c-x"}}}, stage: StageGuard, rule: "excluded"},
		{name: "returned before", item: item(nil), returned: []upnext.ItemID{id}, stage: StageGuard, rule: "returned"},
		{name: "not interested", item: item(nil), does: ann(upnext.Event{Kind: upnext.NotInterested, Scope: upnext.ScopeItem, Item: id}), stage: StageGuard, rule: "unwanted"},
		{name: "muted creator", item: item(nil), does: ann(upnext.Event{Kind: upnext.Mute, Scope: upnext.ScopeCreator, Creator: "c-x"}), stage: StageGuard, rule: "unwanted_maker"},
		{name: "blocked topic", item: item(nil), does: ann(upnext.Event{Kind: upnext.Block, Scope: upnext.ScopeTopic, Topic: "Space"}), stage: StageGuard, rule: "unwanted_topic"},
		{name: "seen", item: item(nil), does: ann(upnext.Event{Kind: upnext.Impression, Item: id}), stage: StageGuard, rule: "seen"},
		{name: "filtered", item: item(nil), req: upnext.Request{Filter: "'chess' in tags"}, stage: StageGuard, rule: "filtered"},
		{name: "no vector", item: item(func(it *upnext.Item) { it.PublishedAt = time.Time{} }), apart: true, stage: StageRecall, rule: WhyNoVector},
		{name: "not among the best", item: item(func(it *upnext.Item) { it.PublishedAt = time.Time{} }), stage: StageRecall, rule: WhyNotRecalled},
		{name: "a copy", item: item(func(it *upnext.Item) { it.Description = same; it.PublishedAt = noon.Add(-30 * time.Hour) }), also: item(func(it *upnext.Item) { it.ID, it.Description = "y", same }), stage: StageRerank, rule: "near_duplicate"},
		{name: "others are worth more", item: item(func(it *upnext.Item) { it.PublishedAt = noon.Add(-50 * time.Hour) }), req: upnext.Request{Count: 1}, stage: StageRank, rule: WhyBelow},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 12, func(cfg *Config) { // of the 96 items the oldest are not brought
				cfg.Sources = &Sources{Page: []source.Source{source.Fresh{}}}
			})
			if c.also != nil {
				w.put(*c.also)
			}
			switch {
			case c.apart:
				if _, err := w.cfg.Catalog.Put(t.Context(), tenantT, upnext.Record{Item: *c.item, Hash: "x"}); err != nil {
					t.Fatal(err)
				}
				w.refresh()
			case c.item != nil:
				w.put(*c.item)
			}
			c.viewer.ID = user("ann")
			if _, err := w.store.Viewers.PutViewer(t.Context(), tenantT, c.viewer); err != nil {
				t.Fatal(err)
			}
			for _, e := range c.does {
				w.does("ann", e)
			}
			c.req.Viewer = user("ann")
			why, err := w.rec.WhyNot(t.Context(), tenantT, c.req, id, c.returned...)
			if err != nil {
				t.Fatal(err)
			}
			_, there := find(why.Slate, id)
			if why.Stage != c.stage || why.Rule != c.rule || there != (c.stage == StagePage) || (why.Rank > 0) != there {
				t.Errorf("stage %s, rule %q (%s), rank %d; want %s, %q", why.Stage, why.Rule, why.Detail, why.Rank, c.stage, c.rule)
			}
			if ranked := c.stage == StagePage || c.stage == StageRank || c.stage == StageRerank; (why.Candidate != nil) != ranked || ranked && why.Candidates == 0 {
				t.Errorf("candidate %+v of %d", why.Candidate, why.Candidates)
			}
			if waiting, _ := w.rec.slates.take(10); len(waiting) > 0 {
				t.Errorf("%d answers were recorded to find out", len(waiting))
			}
		})
	}
}
