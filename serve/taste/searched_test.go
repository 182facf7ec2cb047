package taste

import (
	"fmt"
	"testing"
	"time"

	"upnext"
)

// TestSearches: the latest three are remembered, each once however it is written.
func TestSearches(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var acts []Act
	for i, query := range []string{" Space films", "space FILMS ", "", "cats", "dogs", "birds"} {
		acts = append(acts, ActOf(upnext.Event{Kind: upnext.Search, Query: query, At: at.Add(-time.Duration(i) * time.Minute)}))
	}
	acts = append(acts, ActOf(upnext.Event{Kind: upnext.Comment, Item: "x", Query: "no search"}))
	s := &State{}
	for _, a := range acts {
		s.search(a)
	}
	if got := fmt.Sprint(s.Searches[0].Query, s.Searches[1].Query, s.Searches[2].Query, len(s.Searches)); got != "Space filmscatsdogs3" || !s.Searches[0].At.Equal(at) {
		t.Errorf("%v", s.Searches)
	}
}
