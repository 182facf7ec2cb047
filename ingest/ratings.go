package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"upnext"
)

// ratingFiles are where a MovieLens folder's ratings may be, each also as
// NAME.gz: the best first. The last one has pairs alone, in the order of
// ratings.dat.
var ratingFiles = []string{"ratings.dat", "u.data", "ratings.csv", "pairs_original.csv"}

// When an imported history happened. It counts for taste, and is too old to
// trend. What has no times is spaced out, in its order.
const (
	historyAge   = 31 * 24 * time.Hour // of the newest event
	historySpan  = 30 * 24 * time.Hour // between the oldest and the newest one without times
	historySpace = 100 * time.Millisecond
)

// rating is one line of a file of ratings.
type rating struct {
	line        int
	user, movie string
	value       float64 // stars; NaN where only a pair is known
	at          int64   // Unix seconds; 0 where not known
	problem     string  // why the line cannot be read
}

// ratings is a MovieLens folder's file of ratings: a history.
type ratings struct {
	from  files
	name  string // without .gz
	file  string
	clock clock
}

// findRatings finds the ratings; ErrNotFound where there are none. now is when
// the import was asked for.
func findRatings(ctx context.Context, from files, now time.Time) (*ratings, error) {
	for _, name := range ratingFiles {
		r, key, err := openFirst(ctx, from, name)
		if err == nil {
			return &ratings{from, name, key, clock{now: now}}, r.Close()
		}
		if !errors.Is(err, upnext.ErrNotFound) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("there is none of %v: %w", ratingFiles, upnext.ErrNotFound)
}

// each yields the file's lines, also those that cannot be read.
func (h *ratings) each(ctx context.Context) iter.Seq2[rating, error] {
	return func(yield func(rating, error) bool) {
		r, _, err := openFirst(ctx, h.from, h.name)
		if err != nil {
			yield(rating{}, err)
			return
		}
		defer func() { _ = r.Close() }() // it was only read
		for l, err := range eachLine(r, 1<<10) {
			if err != nil {
				// A gzip that breaks off is the file's fault, not the machine's.
				if !errors.Is(err, upnext.ErrUnavailable) && ctx.Err() == nil || errors.Is(err, io.ErrUnexpectedEOF) {
					err = fmt.Errorf("%s: line %d: %v: %w", h.file, l.number, err, upnext.ErrInvalid)
				}
				yield(rating{}, err)
				return
			}
			if l.number == 1 && strings.HasPrefix(string(l.text), "user") {
				continue // the header of a CSV file
			}
			if !yield(h.parse(l), nil) {
				return
			}
		}
	}
}

func (h *ratings) parse(l line) rating {
	r := rating{line: l.number, value: math.NaN()}
	separator := map[string]string{"ratings.dat": "::", "u.data": "\t"}[h.name]
	if separator == "" {
		separator = ","
	}
	f := strings.Split(string(l.text), separator)
	want := 4
	if h.name == "pairs_original.csv" {
		want = 2
	}
	if len(f) != want || f[0] == "" || f[1] == "" {
		r.problem = fmt.Sprintf("%d columns, want %d", len(f), want)
		return r
	}
	r.user, r.movie = f[0], f[1]
	if want == 2 {
		return r
	}
	var err error
	if r.value, err = strconv.ParseFloat(f[2], 64); err != nil || !(r.value >= 0 && r.value <= 5) {
		r.problem = fmt.Sprintf("%q is not a rating of 0 to 5", f[2])
	}
	if r.at, err = strconv.ParseInt(f[3], 10, 64); err != nil || r.at <= 0 || r.at > 1<<33 {
		r.problem = fmt.Sprintf("%q is not a time", f[3])
	}
	return r
}

func (h *ratings) key() string { return h.file }

// lines makes events of the ratings.
func (h *ratings) lines(ctx context.Context, after int) iter.Seq2[told, error] {
	return func(yield func(told, error) bool) {
		var err error
		if h.clock.newest, err = h.newest(ctx); err != nil {
			yield(told{}, err)
			return
		}
		for r, err := range h.each(ctx) {
			if err == nil && r.line <= after {
				continue
			}
			said := told{line: r.line, event: h.clock.event(r), problem: r.problem, cause: "syntax"}
			if !yield(said, err) || err != nil {
				return
			}
		}
	}
}

// newest is the time of the newest rating; 0 where the file has no times.
func (h *ratings) newest(ctx context.Context) (int64, error) {
	var newest int64
	for r, err := range h.each(ctx) {
		if err != nil {
			return 0, err
		}
		newest = max(newest, r.at)
	}
	return newest, nil
}

// clock says when each rating happened. The whole history is moved so that its
// newest event lies historyAge before now; the order and the distances stay.
type clock struct {
	now    time.Time
	newest int64
}

func (c clock) at(r rating) time.Time {
	end := c.now.Add(-historyAge)
	if c.newest > 0 {
		return end.Add(time.Duration(r.at-c.newest) * time.Second)
	}
	return end.Add(min(0, time.Duration(r.line)*historySpace-historySpan))
}

// event makes an event of a rating. Its id is the same in every import, so
// that none counts twice.
func (c clock) event(r rating) upnext.Event {
	e := upnext.Event{
		ID: upnext.EventID("movielens:" + r.user + ":" + r.movie), Kind: upnext.View, At: c.at(r),
		Viewer: upnext.ViewerID{ID: r.user}, Item: upnext.ItemID(r.movie), Surface: "import",
	}
	if !math.IsNaN(r.value) {
		// One star says no, five say yes, three say neither.
		e.Kind, e.Value = upnext.Rate, max(0, (r.value-1)/4)
	}
	return e
}
