package upnext

import "time"

// Trace is how one answer came about, in full. It is made where a request asks
// for it (Request.Explain), kept with the slate, and gone before the slate is.
type Trace struct {
	Sources    []Brought
	Candidates []Placed // what was shown and the best of the rest, in the order of their scores; no tokens, no reasons
	Omitted    int      // further candidates, which are not told
}

// Brought is what one source brought to an answer. Which candidates these are is
// told by their Origins.
type Brought struct {
	Source string
	Asked  int            // how many were asked for at most
	Found  int            // how many came
	Turned map[string]int // how many it met that the guard turned away, by cause; one met twice counts twice
	Took   time.Duration  // until it answered, or was given up
	Error  string         // why it brought less than it might; empty where nothing is known against it
}

// Origin is what one source says of a candidate.
type Origin struct {
	Source string
	Rank   int     // in the source's list, from 1
	Score  float64 // the source's own, comparable within its list alone
	Share  float64 // of the candidate's rank fusion, 0 to 1
	From   ItemID  // the item that led to it; may be empty
	About  string  // the search that led to it; may be empty
}
