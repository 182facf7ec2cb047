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
		var held []*Item
		var names []upnext.ItemID
		for v := range rapid.IntRange(1, 40).Draw(rt, "changes") {
			held = s.Live()
			names = idsOf(held)
			s.Apply(upnext.Record{
				Version: int64(v + 1), Deleted: rapid.IntRange(0, 4).Draw(rt, "deleted") == 0,
				Item: upnext.Item{
					ID:        upnext.ItemID(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id"))),
					Kind:      rapid.SampledFrom([]upnext.Kind{"live", "video"}).Draw(rt, "kind"),
					RoomState: rapid.SampledFrom([]string{"", "on", "off"}).Draw(rt, "room"),
					SeriesID:  rapid.SampledFrom([]string{"", "s", "t"}).Draw(rt, "series"),
					Episode:   rapid.IntRange(0, 4).Draw(rt, "episode"), PublishedAt: day.AddDate(0, 0, rapid.IntRange(0, 3).Draw(rt, "day")),
				},
			})
			if !slices.Equal(idsOf(held), names) {
				rt.Fatalf("a reader's list has changed from %v to %v", names, idsOf(held))
			}
			var live, later []*Item
			for _, it := range s.Newest() {
				if it.Item.Kind == "live" && it.Item.RoomState == "on" {
					live = append(live, it)
				}
				if it.Item.SeriesID == "s" && it.Item.Episode > 1 {
					later = append(later, it)
				}
			}
			slices.SortFunc(later, airing)
			if got := s.Live(); !slices.Equal(got, live) {
				rt.Fatalf("live %v, want %v", idsOf(got), idsOf(live))
			}
			if got := s.After("s", 1); !slices.Equal(got, later) {
				rt.Fatalf("after episode 1 %v, want %v", idsOf(got), idsOf(later))
			}
		}
	})
}

func idsOf(items []*Item) []upnext.ItemID {
	var ids []upnext.ItemID
	for _, it := range items {
		ids = append(ids, it.Item.ID)
	}
	return ids
}
