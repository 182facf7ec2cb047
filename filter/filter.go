// Package filter is the expression language of filters and boosts. An
// expression is parsed and type-checked once, against the items' typed fields;
// its Go predicate is the truth, and its tree is what an index may push down.
package filter

import "time"

// Vars are the values of the names that do not belong to the item.
type Vars struct {
	Now     time.Time      // what now() and age_hours mean
	User    map[string]any // user.*: string, float64, bool, time.Time, []string
	Context map[string]any // context.*: the same
}
