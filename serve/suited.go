package serve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"upnext"
	"upnext/serve/source"
)

// How much of a viewer becomes rows of their own.
const (
	becauseRows = 2 // about an item that stands for an interest
	topicRows   = 3
	fewInRow    = 4 // a row of fewer looks like a mistake
)

// suited are the rows of a page for who names none: what is gone on with and what
// is on now, what they take to as a whole and by its parts, what others watch and
// what is new. Which come first is for their worth to say.
func suited(q *asked) []upnext.Row {
	say := func(code, what string) string { return inWords(headings, q.req.Locale, code, what) }
	by := func(name string, least int, sources ...source.Source) upnext.Row {
		row := upnext.Row{Name: name, Title: say(name, ""), Least: least}
		for _, s := range sources {
			row.Sources = append(row.Sources, s.Name())
		}
		return row
	}
	rows := []upnext.Row{
		by("continue", 1, source.Continue{}, source.Episode{}),
		by("for_you", 1),
	}
	for i, in := range q.viewer.state.Interests[:min(len(q.viewer.state.Interests), becauseRows)] {
		rows = append(rows, upnext.Row{
			Name: fmt.Sprintf("because_%d", i+1), Least: fewInRow, Like: []upnext.ItemID{in.Medoid.Item.ID},
			Title: words(q.req.Locale, q.took(in.Medoid), in.Medoid.Item.Title),
		})
	}
	for i, topic := range q.favourites(topicRows) {
		rows = append(rows, upnext.Row{
			Name: fmt.Sprintf("topic_%d", i+1), Title: say("topic", topic), Least: fewInRow,
			Filter: fmt.Sprintf("%q in topics or %[1]q in tags", topic),
		})
	}
	rows = append(rows,
		by("live", 1, source.Live{}),
		by("followed", 1, source.Followed{}, source.Friends{}),
		by("trending", fewInRow, source.Trending{}),
		by("fresh", fewInRow, source.Fresh{}),
		by("popular", fewInRow, source.Popular{}),
	)
	for i := range rows {
		rows[i].Count = min(q.req.Count, upnext.MaxPageItems/len(rows))
		rows[i].Least = min(rows[i].Least, rows[i].Count)
	}
	return rows
}

// favourites are up to n topics that the viewer leans to, the most first, as what
// they took to spells them.
func (q *asked) favourites(n int) []string {
	spelt := map[string]string{}
	for _, sig := range q.viewer.state.Positive {
		for _, list := range [][]string{sig.Item.Item.Tags, upnext.Values(sig.Item.Understanding.Topics)} {
			for _, topic := range list {
				spelt[strings.ToLower(topic)] = topic
			}
		}
	}
	to := q.viewer.state.ToTopic
	var topics []string
	for topic, lean := range to {
		if lean > 0 && spelt[topic] != "" {
			topics = append(topics, topic)
		}
	}
	slices.SortFunc(topics, func(a, b string) int {
		return cmp.Or(cmp.Compare(to[b], to[a]), strings.Compare(a, b))
	})
	topics = topics[:min(len(topics), n)]
	for i, topic := range topics {
		topics[i] = spelt[topic]
	}
	return topics
}
