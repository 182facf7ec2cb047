package taste

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/serve/shelf"
)

// Signal is what a viewer's events say, all told, of one item.
type Signal struct {
	Item   *shelf.Item
	Weight float64   // above 0 where they like it
	At     time.Time // of the latest event that counts
	Liked  bool      // said so: liked, saved, shared, rated well, bought; else it was watched
}

// State is what is believed of a viewer. It is made by Fold and then never
// changed, so that requests share it.
type State struct {
	Known    bool      // whether there is any event
	At       time.Time // of the newest event
	Positive []Signal  // weightiest first
	Negative []Signal  // most disliked first
	Latest   []Signal  // Positive, newest first

	Seen      map[upnext.ItemID]time.Time // impressed or acted on, and when last
	Items     map[upnext.ItemID]upnext.Aversion
	Creators  map[string]upnext.Aversion
	Topics    map[string]upnext.Aversion       // lower case
	Pinned    map[upnext.Subject]upnext.Pinned // wanted, and does not fade
	Follows   map[string]bool                  // creators
	Friends   map[string]bool                  // users
	Begun     []Begun                          // watched in part, the latest first
	Series    []Watching                       // series being watched, the latest first
	Searches  []Searched                       // the latest first
	ToCreator map[string]float64               // affinity, -1 to 1
	ToTopic   map[string]float64               // of unit length taken together; see shelf.Leanings
	Languages map[string]float64               // shares of what they like
	Interests []Interest
	Mix       Mix // what they took to, by topic

	read  []*shelf.Item // what was looked at on the shelf
	added int64         // the shelf's Added then
	holes bool          // whether some item was not there
}

// Fresh reports whether the shelf still says of the viewer's items what it
// said when the state was made.
func (s *State) Fresh(sh *shelf.Shelf) bool {
	return (!s.holes || s.added == sh.Added()) && sh.Current(s.read)
}

// tally gathers the acts on one item.
type tally struct {
	item    *shelf.Item
	passive float64 // the best of view, play, valid view and finished
	against float64 // the worst of the skips
	stance  float64 // the latest of like, unlike and dislike
	rate    float64 // the latest rating
	deeds   map[upnext.EventKind]float64
	at      time.Time
	stated  bool
	rated   bool
	liked   bool
	stand   stand
	pinned  float64
}

// Fold makes the state out of acts, newest first. It depends on them and on
// the shelf alone, not on the clock: weights fade relative to the newest act.
// Interests are left to Cluster.
func Fold(acts []Act, sh *shelf.Shelf, set Settings) *State {
	s := &State{
		Known: len(acts) > 0, added: sh.Added(),
		Seen: map[upnext.ItemID]time.Time{}, Items: map[upnext.ItemID]upnext.Aversion{},
		Creators: map[string]upnext.Aversion{}, Topics: map[string]upnext.Aversion{}, Pinned: map[upnext.Subject]upnext.Pinned{}, Follows: map[string]bool{}, Friends: map[string]bool{},
		ToCreator: map[string]float64{}, ToTopic: map[string]float64{}, Languages: map[string]float64{},
	}
	if len(acts) == 0 {
		return s
	}
	s.At = acts[0].At
	s.remember(acts)
	s.weigh(acts[:min(len(acts), set.History)], sh, set)
	s.generalise(set)
	return s
}

// remember keeps what holds however old it is: seen, unwanted, followed.
func (s *State) remember(acts []Act) {
	creators, friends, wants := decided{}, decided{}, newWants()
	for _, a := range acts {
		if _, ok := s.Seen[a.Item]; a.Item != "" && !ok && !a.wish() && !a.against() {
			s.Seen[a.Item] = a.At
		}
		s.search(a)
		switch a.Kind {
		case upnext.Follow, upnext.Unfollow:
			creators.decide(s.Follows, a.Creator, a.Kind == upnext.Follow)
			friends.decide(s.Friends, a.Target, a.Kind == upnext.Follow)
		case upnext.NotInterested, upnext.Block, upnext.Mute, upnext.Unmute, upnext.Pin, upnext.Unpin:
			wants.decide(s, a)
		case upnext.Report: // whoever reports an item never wants to meet it again
			wants.decide(s, Act{Kind: upnext.Block, Scope: upnext.ScopeItem, Item: a.Item, At: a.At})
		}
	}
}

// decided are those whose newest follow or unfollow was met.
type decided map[string]bool

// decide puts whom an act names among those followed, unless a newer one has
// spoken of them.
func (d decided) decide(followed map[string]bool, whom string, follow bool) {
	if whom == "" || d[whom] {
		return
	}
	d[whom] = true
	if follow {
		followed[whom] = true
	}
}

// weigh sums up each item's acts into a signal.
func (s *State) weigh(acts []Act, sh *shelf.Shelf, set Settings) {
	ids := make([]upnext.ItemID, len(acts))
	for i, a := range acts {
		ids[i] = a.Item
	}
	items := sh.Items(ids)
	tallies := make(map[*shelf.Item]*tally, len(acts))
	var order []*tally
	for i, a := range acts {
		if a.Item == "" {
			continue
		}
		it := items[i]
		if it == nil {
			s.holes = true
			continue
		}
		t := tallies[it]
		if t == nil {
			t = &tally{item: it, at: a.At}
			tallies[it] = t
			order = append(order, t)
			s.read = append(s.read, it)
		}
		if _, avoided := s.Items[a.Item]; a.against() && !avoided {
			continue // taken back since
		}
		t.count(a, set.Weigh(a, it.Item.Duration)*set.fade(s.At.Sub(a.At)))
		t.stand.read(a, it.Item.Duration)
	}
	order = s.pinItems(order, tallies, sh, set)
	for _, t := range order {
		// What they liked of what they now avoid draws them no more.
		if w := t.weight(); w > 0 && !s.avoids(t.item) {
			s.Positive = append(s.Positive, Signal{t.item, w, t.at, t.liked})
		} else if w < 0 {
			s.Negative = append(s.Negative, Signal{t.item, w, t.at, false})
		}
	}
	s.progress(order)
	s.Latest = slices.Clone(s.Positive)
	byID := func(a, b Signal) int { return strings.Compare(string(a.Item.Item.ID), string(b.Item.Item.ID)) }
	slices.SortFunc(s.Positive, func(a, b Signal) int { return cmp.Or(cmp.Compare(b.Weight, a.Weight), byID(a, b)) })
	slices.SortFunc(s.Negative, func(a, b Signal) int { return cmp.Or(cmp.Compare(a.Weight, b.Weight), byID(a, b)) })
	slices.SortFunc(s.Latest, func(a, b Signal) int { return cmp.Or(b.At.Compare(a.At), byID(a, b)) })
}

// avoids reports whether the viewer does not want the item, its creator or
// one of its topics.
func (s *State) avoids(it *shelf.Item) bool {
	_, item := s.Items[it.Item.ID]
	_, creator := s.Creators[it.Item.CreatorID]
	return item || creator || slices.ContainsFunc(it.Topics, func(topic string) bool {
		_, ok := s.Topics[topic]
		return ok
	})
}

// fade is what is left of a weight after age.
func (set Settings) fade(age time.Duration) float64 {
	return 0.5*math.Exp2(-float64(age)/float64(set.LongHalfLife)) + 0.5*math.Exp2(-float64(age)/float64(set.ShortHalfLife))
}

// GoodRating is the value from which a rating says that its item is liked.
const GoodRating = 0.6

// count takes in one act; acts come newest first.
func (t *tally) count(a Act, w float64) {
	switch a.Kind {
	case upnext.Like, upnext.Unlike, upnext.Dislike:
		if !t.stated {
			t.stated, t.stance = true, w
			t.liked = t.liked || a.Kind == upnext.Like
		}
	case upnext.Rate:
		if !t.rated {
			t.rated, t.rate = true, w
			t.liked = t.liked || a.Value >= GoodRating
		}
	case upnext.View, upnext.Play, upnext.Progress, upnext.Complete, upnext.Skip:
		t.passive, t.against = max(t.passive, w), min(t.against, w)
	default:
		if _, ok := t.deeds[a.Kind]; ok || w == 0 {
			return
		}
		if t.deeds == nil {
			t.deeds = map[upnext.EventKind]float64{}
		}
		t.deeds[a.Kind] = w
		switch a.Kind {
		case upnext.Save, upnext.Share, upnext.Gift, upnext.Purchase, upnext.Subscribe:
			t.liked = true
		}
	}
}

func (t *tally) weight() float64 {
	w := t.passive + t.against + t.stance + t.rate + t.pinned
	for _, kind := range upnext.EventKinds { // in a fixed order: sums of floats depend on it
		w += t.deeds[kind]
	}
	return w
}

// generalise turns signals on items into affinities to creators and topics.
func (s *State) generalise(set Settings) {
	total := 0.0
	each := func(signals []Signal) {
		for _, sig := range signals {
			if c := sig.Item.Item.CreatorID; c != "" {
				s.ToCreator[c] += sig.Weight
			}
			for _, topic := range sig.Item.Topics {
				s.ToTopic[topic] += sig.Weight / math.Sqrt(float64(len(sig.Item.Topics)))
			}
			if l := sig.Item.Language(); l != "" && sig.Weight > 0 {
				s.Languages[l] += sig.Weight
				total += sig.Weight
			}
		}
	}
	each(s.Positive)
	each(s.Negative)
	s.Mix = mixOf(s.Positive)
	for c := range s.Follows {
		s.ToCreator[c] += set.Weights[upnext.Follow]
	}
	for c := range s.Creators {
		s.ToCreator[c]--
	}
	s.pinOthers(set)
	for c, w := range s.ToCreator {
		s.ToCreator[c] = w / (1 + math.Abs(w))
	}
	for t := range s.Topics {
		s.ToTopic[t] = min(s.ToTopic[t], 0)
	}
	for l := range s.Languages {
		s.Languages[l] /= total
	}
	norm := 0.0
	for _, t := range sortedKeys(s.ToTopic) {
		norm += s.ToTopic[t] * s.ToTopic[t]
	}
	if norm = math.Sqrt(norm); norm > 0 {
		for t := range s.ToTopic {
			s.ToTopic[t] /= norm
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
