// Package bench measures a server as its users meet it: it makes up a
// catalogue and its viewers from a seed, puts them where a server finds them,
// loads that server over HTTP at a fixed rate of arrivals and reports how it
// did. It sees nothing of the server but its API, its process and its profile.
package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"upnext"
)

// How the made-up catalogue is divided.
const (
	itemsPerTopic   = 500 // on average, where that makes enough topics
	itemsPerCreator = 40
	leastTopics     = 8
	labels          = 40  // topics have so many names between them
	inSeries        = 0.1 // share of the items that are episodes
	inEach          = 10  // episodes of a series
	live            = 0.01
)

// World is a made-up catalogue with its viewers. Equal fields give equal items
// and acts, in whatever order they are asked for; it is constant once made.
type World struct {
	Seed    uint64
	Items   int
	Viewers int
	Dim     int       // components of a vector
	Now     time.Time // the newest act and the newest item are a little older

	topics, creators int
	centres          [][]float32 // of topics, in the intrinsic space
	image            []float32   // the intrinsic space as components of vectors, row by row
	offset           []float32   // of all vectors
	of               [][]int32   // items by topic
}

// What a generator is for: each has numbers of its own.
const (
	saltParts = iota + 1
	saltTopic
	saltItem
	saltStyle
	saltVector
	saltTaste
	saltHistory
	saltAct
	saltPut
	saltProbe
	saltAsk
	saltRecall
)

// NewWorld makes the parts that all items share.
func NewWorld(seed uint64, items, viewers, dim int, now time.Time) *World {
	w := &World{Seed: seed, Items: items, Viewers: viewers, Dim: dim, Now: now.UTC().Truncate(time.Second)}
	w.topics, w.creators = max(leastTopics, items/itemsPerTopic), max(leastTopics, items/itemsPerCreator)
	r := w.random(saltParts, 0)
	for range w.topics {
		w.centres = append(w.centres, normal(r, intrinsic))
	}
	w.image, w.offset = normal(r, intrinsic*dim), normal(r, dim)
	w.of = make([][]int32, w.topics)
	for n := range items {
		t := w.topicOf(w.creatorOf(n))
		w.of[t] = append(w.of[t], int32(n))
	}
	return w
}

// random is a generator of its own for each thing of each kind.
func (w *World) random(salt, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.Seed^salt<<56, n))
}

// creatorOf divides the items unevenly, in the order of their ids: catalogues
// are filled creator by creator, so neighbours are alike. Some make much.
func (w *World) creatorOf(n int) int {
	u := (float64(n) + 0.5) / float64(w.Items)
	return min(w.creators-1, int(float64(w.creators)*u*math.Sqrt(u)))
}

// topicOf is what a creator makes items about.
func (w *World) topicOf(creator int) int {
	return w.random(saltTopic, uint64(creator)).IntN(w.topics)
}

// ID is the id of item n.
func ID(n int) upnext.ItemID { return upnext.ItemID(fmt.Sprintf("item-%07d", n)) }

// Item makes item n: its tags, words and creator go with its topic, as its
// vector does.
func (w *World) Item(n int) upnext.Item {
	r := w.random(saltItem, uint64(n))
	creator := w.creatorOf(n)
	topic, words := w.topicOf(creator), NewWords(r)
	it := upnext.Item{
		ID: ID(n), Kind: upnext.Kinds[r.IntN(3)], Title: strings.Join(append(words.Some(2, 5), word(topic)), " "),
		Description: strings.Join(words.Some(10, 30), " "),
		Tags:        []string{word(topic), fmt.Sprintf("style-%d", r.IntN(20))},
		Language:    []string{"en", "en", "zh"}[r.IntN(3)], CreatorID: creatorID(creator), CreatorName: fmt.Sprintf("Creator %d", creator),
		Duration: time.Duration(30+r.IntN(3600)) * time.Second, PublishedAt: w.Now.Add(-time.Minute - time.Duration(r.Int64N(int64(365*24*time.Hour)))),
	}
	switch share := r.Float64(); {
	case share < live:
		it.Kind, it.RoomState, it.Duration = "live", upnext.RoomOn, 0
	case float64(n/inEach%100)/100 < inSeries:
		it.SeriesID, it.Episode = fmt.Sprintf("series-%d", n/inEach), 1+n%inEach
	}
	return it
}

func creatorID(creator int) string { return fmt.Sprintf("creator-%d", creator) }

// Understanding is what is believed of item n.
func (w *World) Understanding(n int) upnext.Understanding {
	topic := fmt.Sprintf("topic-%d", w.topicOf(w.creatorOf(n))%labels)
	return upnext.Understanding{Topics: []upnext.Label{{Value: topic, Confidence: 0.9, Model: "bench"}}, At: w.Now}
}
