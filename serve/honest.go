package serve

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"upnext/serve/shelf"
	"upnext/serve/source"
)

// honest keeps of what a source brought what may be believed: items that are
// on the shelf or were there, with a finite score, each once, no more than the
// quota, in the order given. The error says what was left out; nil where
// nothing was. What the source gave stays as it is, for it may be its own.
func honest(sh *shelf.Shelf, given []source.Candidate, quota int) ([]source.Candidate, error) {
	var lies []string
	if len(given) > quota {
		lies = append(lies, fmt.Sprintf("%d items where %d were asked for", len(given), quota))
		given = given[:quota]
	}
	met := make(map[*shelf.Item]struct{}, len(given))
	kept, whole := given, true
	unknown, unscored, again := 0, 0, 0
	for i, c := range given {
		var lie *int
		if c.Item == nil || !sh.Knows(c.Item) {
			lie = &unknown
		} else if math.IsNaN(c.Score) || math.IsInf(c.Score, 0) {
			lie = &unscored
		} else if _, ok := met[c.Item]; ok {
			lie = &again
		}
		met[c.Item] = struct{}{}
		switch {
		case lie == nil && !whole:
			kept = append(kept, c)
		case lie != nil:
			*lie++
			if whole {
				kept, whole = slices.Clone(given[:i]), false
			}
		}
	}
	for _, l := range []struct {
		n    int
		what string
	}{{unknown, "unknown items"}, {unscored, "scores that are no numbers"}, {again, "items more than once"}} {
		if l.n > 0 {
			lies = append(lies, fmt.Sprintf("%d %s", l.n, l.what))
		}
	}
	if len(lies) == 0 {
		return kept, nil
	}
	return kept, fmt.Errorf("not to be believed: %s", strings.Join(lies, ", "))
}
