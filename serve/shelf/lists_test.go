package shelf

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// TestLists: after any changes of the catalogue the lists hold what a look
// through all of it would find, in order, and what readers hold stays as it was.
func TestLists(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &Shelf{}
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		var held *Streams
		var names []Stream
		for v := range rapid.IntRange(1, 40).Draw(rt, "changes") {
			held = s.Live()
			names = slices.Clone(held.List)
			s.Apply(upnext.Record{
				Version: int64(v + 1), Deleted: rapid.IntRange(0, 4).Draw(rt, "deleted") == 0,
				Item: upnext.Item{
					ID:        upnext.ItemID(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id"))),
					Kind:      rapid.SampledFrom([]upnext.Kind{"live", "video"}).Draw(rt, "kind"),
					RoomState: rapid.SampledFrom([]string{"", "on", "off"}).Draw(rt, "room"),
					CreatorID: rapid.SampledFrom([]string{"", "c"}).Draw(rt, "creator"), Tags: rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2).Draw(rt, "tags"),
					SeriesID: rapid.SampledFrom([]string{"", "s", "t"}).Draw(rt, "series"),
					Episode:  rapid.IntRange(0, 4).Draw(rt, "episode"), PublishedAt: day.AddDate(0, 0, rapid.IntRange(0, 3).Draw(rt, "day")),
				},
			})
			if !slices.EqualFunc(held.List, names, sameStream) {
				rt.Fatalf("a reader's list has changed from %v to %v", names, held)
			}
			var live []Stream
			var later []*Item
			for _, it := range s.Newest() {
				if it.Item.Kind == "live" && it.Item.RoomState == "on" {
					live = append(live, Stream{it.Ord, it.topics})
				}
				if it.Item.SeriesID == "s" && it.Item.Episode > 1 {
					later = append(later, it)
				}
			}
			slices.SortFunc(later, airing)
			got := s.Live()
			if !slices.EqualFunc(got.List, live, sameStream) {
				rt.Fatalf("live %v, want %v", got.List, live)
			}
			for creator, places := range got.By {
				for _, i := range places {
					if c := s.items[got.List[i].Ord].Item.CreatorID; c != creator {
						rt.Fatalf("stream %d is of %q, want %q", i, c, creator)
					}
				}
			}
			if got := s.After("s", 1); !slices.Equal(got, later) {
				rt.Fatalf("after episode 1 %v, want %v", idsOf(got), idsOf(later))
			}
		}
	})
}

func sameStream(a, b Stream) bool {
	return a.Ord == b.Ord && slices.Equal(a.topics, b.topics)
}

func idsOf(items []*Item) []upnext.ItemID {
	var ids []upnext.ItemID
	for _, it := range items {
		ids = append(ids, it.Item.ID)
	}
	return ids
}

// TestNewest: batches of changes, an id twice in one of them included, leave the
// order that a sort of all would give, and what readers hold as it was.
func TestNewest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, there, version := &Shelf{}, map[upnext.ItemID]upnext.Record{}, int64(0)
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			held := s.Newest()
			before := slices.Clone(held)
			batch := make([]upnext.Record, rapid.IntRange(0, 12).Draw(rt, "records"))
			for i := range batch {
				version++
				batch[i] = upnext.Record{
					Version: version, Deleted: rapid.IntRange(0, 2).Draw(rt, "deleted") == 0,
					Item: upnext.Item{
						ID: upnext.ItemID(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id"))), Kind: "video",
						PublishedAt: day.AddDate(0, 0, rapid.IntRange(0, 3).Draw(rt, "day")),
					},
				}
				there[batch[i].Item.ID] = batch[i]
			}
			s.Apply(batch...)
			var want []*Item
			for id, r := range there {
				switch it := s.Item(id); {
				case r.Deleted && it != nil, !r.Deleted && (it == nil || it.Version != r.Version):
					rt.Fatalf("%s is %+v, want %+v", id, it, r)
				case it != nil:
					want = append(want, it)
				}
			}
			slices.SortFunc(want, newer)
			if got := s.Newest(); !slices.Equal(got, want) || s.Len() != len(want) {
				rt.Fatalf("newest %v, want %v", idsOf(got), idsOf(want))
			}
			if !slices.Equal(held, before) {
				rt.Fatalf("a reader's list has changed from %v to %v", idsOf(before), idsOf(held))
			}
		}
	})
}
