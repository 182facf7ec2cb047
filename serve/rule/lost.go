package rule

import "upnext"

// What a rule may do to a candidate: the Action of an upnext.Decision.
const (
	Dropped = "dropped" // it is not on the page, and by its score it would be
	Moved   = "moved"   // it stands elsewhere than its score would have it
	Pinned  = "pinned"  // it stands in a place of its own
	Raised  = "raised"  // its score was raised
)

// lost remembers of a candidate, where somebody asks, the last place that it
// lost to one of a worse score, and the first that it won from a better one.
type lost struct {
	to, from       upnext.ItemID
	toRule, byRule string
}

// note remembers who lost a place to the candidate at, which was worth value
// there: those whom a cap kept out though they were worth more, and those of a
// better score.
func (a *arranger) note(at int, value float64) {
	for i := range a.pool {
		if a.state[i] != waiting || i == at {
			continue
		}
		if by := a.capped(i); by != "" {
			if v := a.worth(i); v > value || v == value && i < at {
				a.yield(i, at, by)
			}
		} else if i < at && a.ranked[i].Score > a.ranked[at].Score {
			a.yield(i, at, a.why(i, at))
		}
	}
}

// noteRest is note for a candidate that came by score: caps alone hold others back.
func (a *arranger) noteRest(at int) {
	for i := range at {
		if a.state[i] != waiting {
			continue
		}
		if by := a.capped(i); by != "" {
			a.yield(i, at, by)
		}
	}
}

func (a *arranger) yield(i, at int, rule string) {
	a.lost[i].to, a.lost[i].toRule = a.ranked[at].Item.Item.ID, rule
	if l := &a.lost[at]; l.byRule == "" {
		l.from, l.byRule = a.ranked[i].Item.Item.ID, rule
	}
}

// why names the rule for which at comes before i, whose score is better: the
// one that speaks for it the more.
func (a *arranger) why(i, at int) string {
	var apart, mix float64
	if a.spread.on {
		apart = (1 - a.Calibrate) * a.Diversity.Dial * (a.spread.gain(at) - a.spread.gain(i))
	}
	if a.mix.on {
		mix = a.Calibrate * (a.mix.divergence(i) - a.mix.divergence(at))
	}
	if mix > apart {
		return "calibration"
	}
	return "diversity"
}

// tell says what the places lost and won have come to: who stands below or above
// where its score would have it was moved, who is not on the page though its
// score would have brought it there was dropped.
func (a *arranger) tell() {
	if a.Note == nil {
		return
	}
	for place, at := range a.order {
		if at < 0 {
			continue
		}
		switch l := a.lost[at]; {
		case place > at && l.toRule != "":
			a.Note(at, upnext.Decision{Rule: l.toRule, Action: Moved, Detail: "below " + string(l.to)})
		case place < at && l.byRule != "":
			a.Note(at, upnext.Decision{Rule: l.byRule, Action: Moved, Detail: "above " + string(l.from)})
		}
	}
	for i, l := range a.lost[:len(a.order)] {
		if l.toRule != "" && a.state[i] == waiting {
			a.Note(i, upnext.Decision{Rule: l.toRule, Action: Dropped, Detail: "for " + string(l.to)})
		}
	}
}
