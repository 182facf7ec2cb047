package upnext

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"
)

// Counts are what is counted of shown items. The unit is one item in one
// answer: shown twice in a page's life or played twice it counts once, so that
// shares of them are shares of trials.
type Counts struct {
	Impressions int64 // seen: an impression was told, or the viewer did anything with it
	Clicks      int64 // viewed or played
	Conversions int64 // bought, subscribed to, given a gift, or converted
	Watches     int64 // of which it was told how much was watched, or that they were skipped
	Timed       int64 // of these, items that have a length
	ValidViews  int64 // watched for 10 s or 30 %, whichever is less
	Completes   int64 // watched to 90 %; of Timed
	QuickSkips  int64 // left within 3 s; of Watches
	Watched     int64 // milliseconds
	Squares     int64 // sum of the squares of watched tenths of a second, for its deviation
}

// Add returns the sums of both, each times n.
func (c Counts) Add(other Counts, n int64) Counts {
	return Counts{
		c.Impressions + n*other.Impressions, c.Clicks + n*other.Clicks, c.Conversions + n*other.Conversions,
		c.Watches + n*other.Watches, c.Timed + n*other.Timed, c.ValidViews + n*other.ValidViews,
		c.Completes + n*other.Completes, c.QuickSkips + n*other.QuickSkips, c.Watched + n*other.Watched, c.Squares + n*other.Squares,
	}
}

// Part is by what counts are broken down.
type Part string

// The parts.
const (
	PartScenario Part = "scenario"
	PartSource   Part = "source"   // an item that several sources found counts for each
	PartPosition Part = "position" // in the classes of PositionClass
	PartKind     Part = "kind"     // of the item
)

// Parts are all there are.
var Parts = []Part{PartScenario, PartSource, PartPosition, PartKind}

// Unknown stands where a scenario, source or kind is not known.
const Unknown = "unknown"

// Cell is where counts are kept: an hour of a scenario, as a whole
// (PartScenario, with an empty Value) or of one source, position or kind.
type Cell struct {
	Hour     int64 // when it was shown, in hours since 1970
	Scenario string
	Part     Part
	Value    string
}

// PositionClass is the class of a rank: "01", "02", "03", "04-05", "06-10",
// "11-20", "21-50" or "51+", so that they sort as they stand; Unknown below 1.
func PositionClass(rank int) string {
	switch {
	case rank < 1:
		return Unknown
	case rank <= 3:
		return "0" + strconv.Itoa(rank)
	case rank <= 5:
		return "04-05"
	case rank <= 10:
		return "06-10"
	case rank <= 20:
		return "11-20"
	case rank <= 50:
		return "21-50"
	}
	return "51+"
}

// The labels that are derived from how long an item was watched.
const (
	validView     = 10 * time.Second
	validShare    = 0.3
	completeShare = 0.9
	quickSkip     = 3 * time.Second
)

// CountsOf counts one item in one answer by what was done with it. Watch time
// is the most that any of the events told: players tell it again and again.
func CountsOf(acts []Attribution) Counts {
	if len(acts) == 0 {
		return Counts{}
	}
	c := Counts{Impressions: 1}
	var watched, length time.Duration
	for _, a := range acts {
		switch a.Act {
		case View, Play, Progress, Complete:
			c.Clicks = 1
		case Conversion, Purchase, Subscribe, Gift:
			c.Conversions = 1
		}
		if a.Reported || a.Act == Skip {
			c.Watches = 1
			watched, length = max(watched, min(a.Watched, MaxWatched)), max(length, a.Length)
		}
	}
	if c.Watches == 0 {
		return c
	}
	enough := validView
	if length > 0 {
		c.Timed = 1
		enough = min(enough, time.Duration(validShare*float64(length)))
		if float64(watched) >= completeShare*float64(length) {
			c.Completes = 1
		}
	}
	if watched >= enough {
		c.ValidViews = 1
	}
	if watched < quickSkip && c.Completes == 0 {
		c.QuickSkips = 1
	}
	tenths := int64(watched / (100 * time.Millisecond))
	c.Watched, c.Squares = watched.Milliseconds(), tenths*tenths
	return c
}

// Measure adds to cells, n times, what the attributions of one item in one
// answer count. The first of them by Seq says where: what stood in the
// catalogue later does not move what was counted.
func Measure(cells map[Cell]Counts, acts []Attribution, n int64) {
	counts := CountsOf(acts)
	if len(acts) == 0 {
		return
	}
	first := slices.MinFunc(acts, func(a, b Attribution) int { return cmp.Compare(a.Seq, b.Seq) })
	cell := Cell{Hour: first.ShownAt.Unix() / 3600, Scenario: cmp.Or(first.Scenario, Unknown), Part: PartScenario}
	add := func(part Part, value string) {
		cell.Part, cell.Value = part, value
		cells[cell] = cells[cell].Add(counts, n)
	}
	add(PartScenario, "")
	add(PartPosition, PositionClass(first.Rank))
	add(PartKind, cmp.Or(string(first.Kind), Unknown))
	if len(first.Sources) == 0 {
		add(PartSource, Unknown)
	}
	for i, s := range first.Sources {
		if !slices.Contains(first.Sources[:i], s) {
			add(PartSource, s)
		}
	}
}

// MeasureQuery asks for counts.
type MeasureQuery struct {
	From, To time.Time     // of the showing, to the hour; To is not included
	By       Part          // what each row is about
	Scenario string        // of this one alone; empty: of all
	Bucket   time.Duration // of time, whole hours; 0: all in one
	Limit    int           // most rows
}

// Measured are the counts of one value in one bucket of time.
type Measured struct {
	Value string
	At    time.Time // when the bucket begins; q.From to the hour where there is one
	Counts
}

// Measures keep attributions and what they count, in step: at any time the
// counts are those of the attributions that were ever kept, less those of
// events that were taken back or erased. Events.Retract and Events.Erase of the
// same database see to that. It is safe for concurrent use.
type Measures interface {
	// Followed is the Seq of the last event that was attributed, or left alone.
	Followed(ctx context.Context, t Tenant) (int64, error)

	// Attribute keeps attributions of events with a Seq in (after, upTo], counts
	// them and moves Followed to upTo, all or nothing. ErrConflict where Followed
	// is not after: somebody else has attributed these. Attributions whose event
	// is gone are left out.
	Attribute(ctx context.Context, t Tenant, after, upTo int64, attributions ...Attribution) error

	// Attributions returns what is kept of a slate, by item and Seq.
	Attributions(ctx context.Context, t Tenant, id SlateID) ([]Attribution, error)

	// Measured returns the rows of a query, by value and time; none for what
	// was not seen.
	Measured(ctx context.Context, t Tenant, q MeasureQuery) ([]Measured, error)

	// PruneMeasures removes attributions to slates older than slates, whose
	// counts stay as they are then, and counts of hours before counts.
	PruneMeasures(ctx context.Context, t Tenant, slates, counts time.Time) (int, error)
}
