package rule

import (
	"slices"
	"strings"

	"upnext/serve/shelf"
)

// Treatment is what becomes of an item that has a safety label.
type Treatment string

// The treatments, the mildest first.
const (
	Allow Treatment = "allow"
	Blur  Treatment = "blur" // shown behind a warning
	Drop  Treatment = "drop" // never shown
)

// SafetyRow says what becomes of a label in some scenarios, for some ages, in
// some regions. Who gives a condition narrows the row.
type SafetyRow struct {
	Label     string    `json:"label"`
	Treatment Treatment `json:"treatment"`
	Scenarios []string  `json:"scenarios"` // none: all
	BelowAge  int       `json:"below_age"` // of viewers younger than this; 0: of any age
	Regions   []string  `json:"regions"`   // ISO 3166; none: all
}

// Safety is the table of safety labels (upnext.Understanding.Safety). For each
// label the first row whose conditions hold counts; of an item's labels the
// severest treatment does. A label without a row is allowed.
type Safety struct {
	Confidence float64     `json:"confidence"` // from which a label is believed
	Rows       []SafetyRow `json:"rows"`
}

// MaxSafetyRows bounds a table.
const MaxSafetyRows = 500

// DefaultSafety keeps from the young what is for adults, warns of what shocks,
// and shows nobody what harms. A viewer whose age is not known is young.
func DefaultSafety() Safety {
	adult := func(label string, otherwise Treatment) []SafetyRow {
		return []SafetyRow{{Label: label, Treatment: Drop, BelowAge: 18}, {Label: label, Treatment: otherwise}}
	}
	return Safety{Confidence: 0.5, Rows: slices.Concat(
		[]SafetyRow{
			{Label: "hate", Treatment: Drop}, {Label: "self_harm", Treatment: Drop}, {Label: "spam", Treatment: Drop},
			{Label: "violence", Treatment: Drop, BelowAge: 16}, {Label: "profanity", Treatment: Drop, BelowAge: 13},
			{Label: "flashing", Treatment: Blur}, {Label: "disturbing", Treatment: Blur},
		},
		adult("sexual", Blur), adult("nudity", Blur), adult("gore", Blur), adult("drugs", Allow), adult("gambling", Allow),
	)}
}

func (s Safety) validate() error {
	if !share(s.Confidence) {
		return bad("safety.confidence", "%g is not within 0 and 1", s.Confidence)
	}
	if len(s.Rows) > MaxSafetyRows {
		return bad("safety.rows", "%d, %d allowed", len(s.Rows), MaxSafetyRows)
	}
	for i, row := range s.Rows {
		switch {
		case strings.TrimSpace(row.Label) == "":
			return bad("safety.rows", "%d: no label", i)
		case row.Treatment != Allow && row.Treatment != Blur && row.Treatment != Drop:
			return bad("safety.rows", "%d: treatment: %q is none of allow, blur, drop", i, row.Treatment)
		case row.BelowAge < 0 || row.BelowAge > 120:
			return bad("safety.rows", "%d: below_age: %d is not an age", i, row.BelowAge)
		}
	}
	return nil
}

// Of returns what becomes of an item in a scenario, for a viewer of whom it is
// known that they are age years old or more, in a region ("": not known), and
// the label on account of which. Where the region is not known, rows for some
// regions count unless they allow.
func (s *Safety) Of(it *shelf.Item, scenario string, age int, region string) (worst Treatment, label string) {
	worst = Allow
	if s == nil {
		return worst, ""
	}
	for _, l := range it.Understanding.Safety {
		if l.Confidence < s.Confidence {
			continue
		}
		for i := range s.Rows {
			if row := &s.Rows[i]; strings.EqualFold(row.Label, l.Value) && row.holds(scenario, age, region) {
				if row.Treatment == Drop || row.Treatment == Blur && worst == Allow {
					worst, label = row.Treatment, row.Label
				}
				break
			}
		}
	}
	return worst, label
}

func (r *SafetyRow) holds(scenario string, age int, region string) bool {
	switch {
	case len(r.Scenarios) > 0 && !slices.Contains(r.Scenarios, scenario):
		return false
	case r.BelowAge > 0 && age >= r.BelowAge:
		return false
	case len(r.Regions) > 0 && region == "":
		return r.Treatment != Allow
	}
	return len(r.Regions) == 0 || slices.Contains(r.Regions, region)
}
