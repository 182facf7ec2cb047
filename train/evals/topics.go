package evals

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"upnext"
	"upnext/ingest/passages"
	"upnext/learn/relevance"
	"upnext/train/datasets"
	"upnext/understand"
)

// talkTopics says which tags of the talks mean one of our topics.
var talkTopics = map[string][]string{
	"cooking": {"food"}, "travel": {"travel"}, "science": {"science"},
	"space":      {"space", "astronomy", "universe", "Planets", "NASA", "cosmos", "solar system"},
	"technology": {"technology"}, "gaming": {"gaming"}, "fashion": {"fashion"},
	"nature":  {"nature", "animals", "oceans", "biodiversity"},
	"history": {"history"}, "art": {"art"}, "film": {"film", "movies"}, "comedy": {"comedy", "humor"},
	"finance":   {"economics", "money", "finance", "investment"},
	"parenting": {"parenting"}, "sports": {"sports"}, "cars": {"cars", "driverless cars"}, "gardening": {"garden", "plants"},
	"music": {"music"}, "news": {"journalism", "news"}, "education": {"education", "teaching"},
	"politics": {"politics", "government", "democracy"}, "health": {"health", "medicine", "health care", "disease"},
	"business": {"business"}, "books": {"books", "literature", "writing", "poetry"}, "animation": {"animation"},
	"crime": {"crime", "prison", "criminal justice"}, "romance": {"love", "relationships"}, "war": {"war", "military"},
	"religion": {"religion", "faith", "God"}, "psychology": {"psychology", "happiness", "mind"},
	"environment": {"environment", "climate change", "sustainability"}, "dance": {"dance"},
	"design": {"design", "architecture"}, "photography": {"photography"},
}

// movieTopics says which genres mean one of our topics. Drama, Documentary and
// Film-Noir are none: they are manners, not subjects.
var movieTopics = map[string][]string{
	"animation": {"Animation"}, "kids": {"Children's"}, "comedy": {"Comedy"}, "crime": {"Crime"}, "fantasy": {"Fantasy"},
	"horror": {"Horror"}, "music": {"Musical"}, "thriller": {"Thriller", "Mystery"}, "romance": {"Romance"},
	"science-fiction": {"Sci-Fi"}, "war": {"War"}, "western": {"Western"}, "adventure": {"Adventure", "Action"},
}

// leastOccurrences is how often a class must be true to be measured by.
const leastOccurrences = 10

// labelled is an item and what is true of it.
type labelled struct {
	item       upnext.Item // without its tags, which would give the answer away
	transcript string
	truth      []string
}

// topics measures the topics that the Understander finds without having been
// taught: on talks against their tags, on films against their genres. Either
// set may be missing, not both.
func (e Evaluation) topics(ctx context.Context, dir string) ([]Row, error) {
	if e.Understand == nil {
		return nil, fmt.Errorf("no understander given: %w", upnext.ErrInvalid)
	}
	var rows []Row
	talks, err := readTalks(dir, e.Limit)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return nil, err
	}
	noTalks := err
	movies, err := readMovies(dir, e.Limit)
	if errors.Is(err, upnext.ErrNotFound) && noTalks == nil {
		err = nil
	}
	if err != nil {
		return nil, errors.Join(noTalks, err)
	}
	for _, set := range []struct {
		name  string
		items []labelled
	}{{"ted tags", labelTalks(talks)}, {"ml-1m genres", labelMovies(movies)}} {
		if len(set.items) == 0 {
			continue
		}
		more, err := e.measureTopics(ctx, set.name, set.items)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// labelTalks takes the reported half of the talks.
func labelTalks(talks []talk) []labelled {
	var out []labelled
	for i, t := range talks {
		if reported(i) {
			item := t.item()
			item.Tags = nil
			out = append(out, labelled{item, strings.Join(t.Transcript, "\n"), mapped(talkTopics, t.Tags)})
		}
	}
	return out
}

func labelMovies(movies []datasets.Film) []labelled {
	var out []labelled
	for _, m := range movies {
		item := upnext.Item{ID: upnext.ItemID(m.ID), Kind: "video", Title: m.Title, Description: m.Plot}
		// A film of no genre that is a topic has no truth to be held against.
		if truth := mapped(movieTopics, m.Genres); len(truth) > 0 {
			out = append(out, labelled{item, "", truth})
		}
	}
	return out
}

// mapped returns the topics that some of the words mean, sorted.
func mapped(topics map[string][]string, words []string) []string {
	var out []string
	for topic, of := range topics {
		if slices.ContainsFunc(of, func(w string) bool { return slices.Contains(words, w) }) {
			out = append(out, topic)
		}
	}
	slices.Sort(out)
	return out
}

func (e Evaluation) measureTopics(ctx context.Context, set string, items []labelled) ([]Row, error) {
	cut := make([][]passages.Passage, len(items))
	truth := make([][]string, len(items))
	for i, it := range items {
		cut[i], truth[i] = passages.Cut(it.item, it.transcript), it.truth
	}
	vectors, err := e.pool(ctx, cut)
	if err != nil {
		return nil, err
	}
	inputs := make([]understand.Input, len(items))
	for i, it := range items {
		inputs[i] = understand.Input{Item: it.item, Text: vectors[i].text, Vec: vectors[i].vec, Passages: vectors[i].passages, Model: e.Text.Model().ID}
	}
	understood, err := e.Understand.Understand(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	given := make([][]string, len(items))
	for i, u := range understood {
		given[i] = upnext.Values(u.Topics)
	}
	least := leastOccurrences
	if e.Limit > 0 {
		least = 1 // a sample has few of each
	}
	classes := relevance.Frequent(truth, least)
	var rows []Row
	for _, answer := range []struct {
		name   string
		labels [][]string
	}{
		{"majority class", relevance.Majority(truth)},
		{e.Understand.Model(), given},
	} {
		counts := relevance.Count(truth, answer.labels, classes)
		sum, name := relevance.Sum(counts), set+" ("+strconv.Itoa(len(classes))+" classes): "+answer.name
		for _, m := range []struct {
			metric string
			value  float64
		}{{"macro_f1", relevance.MacroF1(counts)}, {"precision", sum.Precision()}, {"recall", sum.Recall()}} {
			rows = append(rows, Row{Name: name, Metric: m.metric, Value: m.value, Items: len(items), Labels: len(classes)})
		}
	}
	return rows, nil
}
