package taste

import (
	"strings"
	"time"

	"upnext"
)

// Searched is a text that the viewer looked for.
type Searched struct {
	Query string
	At    time.Time
}

// mostSearches is how many of the latest searches are remembered, each once.
const mostSearches = 3

// search remembers what was looked for last. Acts come newest first.
func (s *State) search(a Act) {
	query := strings.TrimSpace(a.Query)
	if a.Kind != upnext.Search || query == "" || len(s.Searches) == mostSearches {
		return
	}
	for _, known := range s.Searches {
		if strings.EqualFold(known.Query, query) {
			return
		}
	}
	s.Searches = append(s.Searches, Searched{query, a.At})
}
