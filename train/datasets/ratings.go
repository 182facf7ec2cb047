package datasets

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"upnext/learn"
	"upnext/learn/split"
)

// Rating is a line of MovieLens 100K.
type Rating struct {
	User, Item int // from 1
	Stars      int // 1 to 5
	At         int64
}

// ML100K reads u.data.gz: "user TAB item TAB stars TAB Unix seconds".
func ML100K(dir string) ([]Rating, error) {
	var ratings []Rating
	for l, err := range lines(dir, "ml-100k", "u.data.gz") {
		if err != nil {
			return nil, err
		}
		fields := strings.Split(l.text, "\t")
		if len(fields) != 4 {
			return nil, l.wrong("want 4 columns, got %d", len(fields))
		}
		var n [4]int
		for i, f := range fields {
			if n[i], err = l.number(f, 1); err != nil {
				return nil, err
			}
		}
		if n[2] > 5 {
			return nil, l.wrong("%d stars", n[2])
		}
		ratings = append(ratings, Rating{n[0], n[1], n[2], int64(n[3])})
	}
	return ratings, nil
}

// Liked cuts ratings as protocol F does. Each viewer's n newest ratings, those of
// one second by item, are held out; those of them with 4 stars or more are the
// targets. The log, and the case's history, has what of the rest was liked as
// much; all of the rest has been seen and is no answer. Again holds out the n
// ratings before: cases to tune by, and the log without them.
func Liked(ratings []Rating, n int) (log learn.Log, cases []split.Case, again func() (learn.Log, []split.Case)) {
	items := 0
	for _, r := range ratings {
		items = max(items, r.Item)
	}
	viewers := byViewer(ratings)
	log, cases, rest := liked(items, viewers, n)
	return log, cases, func() (learn.Log, []split.Case) {
		log, cases, _ := liked(items, rest, n)
		return log, cases
	}
}

// Rest is what Liked does not hold out of ratings, oldest first.
func Rest(ratings []Rating, n int) []Rating {
	var rest []Rating
	for _, rs := range byViewer(ratings) {
		rest = append(rest, rs[:max(0, len(rs)-n)]...)
	}
	slices.SortStableFunc(rest, older)
	return rest
}

// older orders ratings by time, those of one second by item.
func older(a, b Rating) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Item, b.Item)) }

// byViewer is each viewer's ratings, oldest first, by the viewer's number.
func byViewer(ratings []Rating) [][]Rating {
	of := map[int][]Rating{}
	for _, r := range ratings {
		of[r.User] = append(of[r.User], r)
	}
	var viewers [][]Rating
	for _, user := range slices.Sorted(maps.Keys(of)) {
		slices.SortFunc(of[user], older)
		viewers = append(viewers, of[user])
	}
	return viewers
}

// liked returns, beside log and cases, the ratings that are not held out.
func liked(items int, viewers [][]Rating, n int) (learn.Log, []split.Case, [][]Rating) {
	log := learn.Log{Items: items}
	var cases []split.Case
	rest := make([][]Rating, len(viewers))
	for v, ratings := range viewers {
		at := max(0, len(ratings)-n)
		rest[v] = ratings[:at]
		c := split.Case{Viewer: v}
		for i, r := range ratings {
			item := int32(r.Item - 1)
			switch {
			case i >= at && r.Stars >= 4:
				c.Targets = append(c.Targets, item)
			case i >= at:
			case r.Stars >= 4:
				c.History.Items, c.History.At = append(c.History.Items, item), append(c.History.At, r.At)
			default:
				c.Seen = append(c.Seen, item)
			}
		}
		log.Viewers = append(log.Viewers, c.History)
		if len(c.Targets) > 0 {
			cases = append(cases, c)
		}
	}
	return log, cases, rest
}
