// Package trials measures models that learn from behaviour by fixed protocols on
// public data: each is fitted on one part of a log, ranks the whole catalogue for
// those of another, and stands in a table beside what others published.
package trials

import (
	"context"
	"fmt"
	"strings"

	"upnext"
	"upnext/learn"
	"upnext/learn/split"
	"upnext/train/datasets"
)

// Protocols are the names that Run knows: A to D and F of the project's
// protocols, in words:
//
//	ml1m-loo      MovieLens 1M, the newest act asked for, the one before to tune by
//	gowalla       LightGCN's split of Gowalla; a tenth of train to tune by
//	microlens50k  short videos, as ml1m-loo
//	cold          ml1m-loo with a tenth of the items new: those are asked for
//	ml100k        MovieLens 100K, the likes among the ten newest ratings asked for
//	robust        ml1m-loo under fake viewers and lost or late acts
var Protocols = []string{"ml1m-loo", "gowalla", "microlens50k", "cold", "ml100k", "robust"}

// coldShare is the share of the items that protocol cold takes out of training.
const coldShare = .1

// heldOut is how many of each viewer's newest ratings protocol F holds out.
const heldOut = 10

// The seeds of what protocols leave to chance. They are parts of the protocols.
const (
	coldSeed     = 1 // of the items that are new
	coldTuneSeed = 2 // of others, new in their stead while settings are chosen
	tenthSeed    = 1 // of the tenth of Gowalla's train
)

// sitting is a log to fit on and the cases to be asked.
type sitting struct {
	log   learn.Log
	cases []split.Case
}

// exam is a protocol with its data.
type exam struct {
	protocol string
	columns  []string               // of the main table; the last orders its rows
	tune     sitting                // to choose settings and weights by
	test     sitting                // what is reported
	refit    sitting                // test, fitted on what tune asks for, too; no cases where there is none
	known    learn.Log              // what networks are fitted on by leave-one-out: of it they hold tune's targets out themselves, for validation
	variants []variant              // what is reported in place of test, where there are any
	vectors  map[string][][]float32 // of the items' content, by what they are made of
}

// exam reads a protocol's data.
func (t Trial) exam(ctx context.Context, protocol, dir string) (exam, error) {
	switch protocol {
	case "ml1m-loo":
		return leaveOneOut(protocol, dir, datasets.ML1M)
	case "microlens50k":
		return leaveOneOut(protocol, dir, datasets.MicroLens)
	case "gowalla":
		set, cases, err := datasets.Gowalla(dir)
		if err != nil {
			return exam{}, err
		}
		rest, tenth := split.Share(set.Log, .1, tenthSeed)
		return exam{protocol: protocol, columns: []string{"recall@20", "ndcg@20"},
			tune: sitting{rest, tenth}, test: sitting{set.Log, cases}}, nil
	case "ml100k":
		ratings, err := datasets.ML100K(dir)
		if err != nil {
			return exam{}, err
		}
		log, cases, again := datasets.Liked(ratings, heldOut)
		e := exam{protocol: protocol, columns: []string{"hr@10", "coverage@20", "ndcg@20", "recall@20"}, test: sitting{log, cases}}
		e.tune.log, e.tune.cases = again()
		return e, nil
	case "cold":
		return t.newItems(ctx, dir)
	case "robust":
		return robust(dir)
	}
	return exam{}, fmt.Errorf("protocol %q: there are %s: %w", protocol, strings.Join(Protocols, ", "), upnext.ErrInvalid)
}

func leaveOneOut(protocol, dir string, read func(string) (datasets.Set, error)) (exam, error) {
	set, err := read(dir)
	if err != nil {
		return exam{}, err
	}
	return newest(protocol, set.Log), nil
}

// newest asks for each viewer's newest act; the one before is to tune by, and
// known when the newest is asked for.
func newest(protocol string, log learn.Log) exam {
	known, test := split.LeaveLast(log, 1)
	train, tune := split.LeaveLast(known, 1)
	return exam{protocol: protocol, columns: []string{"hr@10", "ndcg@10"},
		tune: sitting{train, tune}, test: sitting{train, test}, refit: sitting{known, test}, known: known}
}

// newItems is protocol cold of MovieLens 1M and the content of its films.
func (t Trial) newItems(ctx context.Context, dir string) (exam, error) {
	set, err := datasets.ML1M(dir)
	if err != nil {
		return exam{}, err
	}
	e := coldExam(set.Log)
	if e.vectors, err = t.filmVectors(ctx, dir, set); err != nil {
		return exam{}, err
	}
	return e, nil
}

// coldExam has models fitted without a tenth of the items and asked by those
// cases whose target is one, ranking it among all items.
func coldExam(log learn.Log) exam {
	e := newest("cold", log)
	cold := split.Cold(log.Items, coldShare, coldSeed)
	other := split.Cold(log.Items, coldShare, coldTuneSeed)
	e.test = sitting{split.Without(e.test.log, cold), split.Newcomers(e.test.cases, cold)}
	e.tune = sitting{split.Without(e.tune.log, other), split.Newcomers(e.tune.cases, other)}
	e.refit, e.known = sitting{}, learn.Log{}
	return e
}
