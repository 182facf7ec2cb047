package zeroshot

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed labels.tsv
var labelsFile string

//go:embed background.txt
var backgroundFile string

// label is one value that a facet can have.
type label struct {
	id      string
	names   []string // tags that say it, in lower case
	phrases []string // what an item of this label is like, English and Chinese
}

// facets are the labels by facet, each in the order of the file.
type facets struct{ topics, emotion, style []label }

// readLabels reads labels.tsv.
func readLabels(file string) (facets, error) {
	var f facets
	into := map[string]*[]label{"topic": &f.topics, "emotion": &f.emotion, "style": &f.style}
	for i, line := range strings.Split(file, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 5 || into[columns[0]] == nil {
			return facets{}, fmt.Errorf("labels.tsv:%d: want facet, id, names, English and Chinese phrases between tabs", i+1)
		}
		list := into[columns[0]]
		if slices.ContainsFunc(*list, func(l label) bool { return l.id == columns[1] }) {
			return facets{}, fmt.Errorf("labels.tsv:%d: %s %s is there twice", i+1, columns[0], columns[1])
		}
		*list = append(*list, label{
			id:      columns[1],
			names:   strings.Split(strings.ToLower(columns[2]), "|"),
			phrases: append(strings.Split(columns[3], "|"), strings.Split(columns[4], "|")...),
		})
	}
	return f, nil
}

// readBackground reads background.txt: a text a line.
func readBackground(file string) []string {
	var texts []string
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			texts = append(texts, line)
		}
	}
	return texts
}

// Topics returns the ids of the topics that Understand can find, in the order
// of labels.tsv.
func (u *Understander) Topics() []string {
	ids := make([]string, len(u.labels.topics))
	for i, l := range u.labels.topics {
		ids[i] = l.id
	}
	return ids
}
