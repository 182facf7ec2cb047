package rule

import "upnext/serve/shelf"

// Action is what a rule did to a candidate.
type Action string

// The actions. A candidate may be moved by several rules and dropped by one.
const (
	Dropped Action = "dropped" // it is not in the answer
	Moved   Action = "moved"   // up or down: the ranks after each stage say where
	Pinned  Action = "pinned"  // to a slot of its own
	Scaled  Action = "scaled"  // its score was multiplied
	Blurred Action = "blurred" // it is shown with a warning
)

// Verdict is one decision of one rule about one candidate.
type Verdict struct {
	Rule   string // what decided: "guard", "creator_cap", "series_cap", "diversity", "near_duplicate", …
	Action Action
	Detail string      // why, in a word or two: the guard's Cause, a factor, a slot; may be empty
	By     *shelf.Item // the item in whose favour it was; nil where there is none
}

// Trail is what the rules decided about one candidate, in order. Candidates of
// requests that nobody wants explained have a nil one, which takes no notes:
// rules note without asking, and pay for it only where it is read.
type Trail struct{ Verdicts []Verdict }

// Note adds a verdict; a nil Trail ignores it.
func (t *Trail) Note(v Verdict) {
	if t != nil {
		t.Verdicts = append(t.Verdicts, v)
	}
}

// Out returns the verdict that dropped the candidate, the first where there are
// several; false where none did.
func (t *Trail) Out() (Verdict, bool) {
	if t != nil {
		for _, v := range t.Verdicts {
			if v.Action == Dropped {
				return v, true
			}
		}
	}
	return Verdict{}, false
}
