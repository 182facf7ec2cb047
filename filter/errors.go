package filter

import (
	"fmt"
	"sort"
	"strings"

	"upnext"
)

// Error says what is wrong with an expression, and where. It wraps
// upnext.ErrInvalid.
type Error struct {
	Column int    // in characters, from 1
	Detail string // what is wrong, for the one who wrote the expression
}

// Error gives the column and the detail.
func (e *Error) Error() string { return fmt.Sprintf("filter: column %d: %s", e.Column, e.Detail) }

// Unwrap makes it an upnext.ErrInvalid.
func (e *Error) Unwrap() error { return upnext.ErrInvalid }

func failAt(column int, format string, args ...any) *Error {
	return &Error{Column: column, Detail: fmt.Sprintf(format, args...)}
}

// near returns up to three of the names that look like a slip of the pen of
// name, the most alike first.
func near(name string, names []string) []string {
	type guess struct {
		name     string
		distance int
	}
	var guesses []guess
	for _, n := range names {
		// A third of the letters may be wrong: "durtion" finds duration_ms, but
		// two-letter words do not find each other.
		limit := 1 + len(n)/4
		d := distance(strings.ToLower(name), strings.ToLower(n))
		if _, bare, ok := strings.Cut(n, "."); ok { // an attribute may be written without its prefix
			d = min(d, distance(strings.ToLower(name), strings.ToLower(bare)))
			limit = 1 + len(bare)/4
		}
		if len(name) >= 3 && (strings.HasPrefix(n, name) || strings.HasSuffix(n, "."+name)) {
			d = min(d, 1)
		}
		if d <= limit && d < max(len(n), len(name)) {
			guesses = append(guesses, guess{n, d})
		}
	}
	sort.Slice(guesses, func(i, j int) bool {
		if guesses[i].distance != guesses[j].distance {
			return guesses[i].distance < guesses[j].distance
		}
		return guesses[i].name < guesses[j].name
	})
	var best []string
	for _, g := range guesses[:min(3, len(guesses))] {
		best = append(best, g.name)
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
