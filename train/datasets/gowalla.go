package datasets

import (
	"slices"

	"upnext/learn"
	"upnext/learn/split"
)

// Gowalla reads LightGCN's split of the check-ins at Gowalla, train.txt.gz and
// test.txt.gz: "user item item …" a line, items by number, so that there is no
// order in time. The cases ask for all a viewer's places of the test file.
func Gowalla(dir string) (Set, []split.Case, error) {
	train, err := places(dir, "train.txt.gz")
	if err != nil {
		return Set{}, nil, err
	}
	test, err := places(dir, "test.txt.gz")
	if err != nil {
		return Set{}, nil, err
	}
	viewers := max(len(train), len(test))
	train, test = slices.Grow(train, viewers)[:viewers], slices.Grow(test, viewers)[:viewers]
	set, err := numbered(slices.Concat(train, test), nil) // a place may be in one of the two only
	if err != nil {
		return Set{}, nil, err
	}
	var cases []split.Case
	for v, h := range set.Log.Viewers[viewers:] {
		if len(h.Items) > 0 {
			cases = append(cases, split.Case{Viewer: v, History: set.Log.Viewers[v], Targets: h.Items})
		}
	}
	set.Log = learn.Log{Items: set.Log.Items, Viewers: set.Log.Viewers[:viewers:viewers]}
	return set, cases, set.Log.Check()
}

// places reads one of the files: places by viewer.
func places(dir, name string) ([][]int, error) {
	var histories [][]int
	for l, err := range lines(dir, "gowalla-lightgcn", name) {
		if err != nil {
			return nil, err
		}
		n, err := l.numbers(l.text, 0)
		if err != nil {
			return nil, err
		}
		if len(n) == 0 || n[0] != len(histories) {
			return nil, l.wrong("does not begin with user %d", len(histories))
		}
		histories = append(histories, n[1:])
	}
	return histories, nil
}
