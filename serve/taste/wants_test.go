package taste

import (
	"testing"

	"upnext"
)

// TestWants: of words about one subject the newest decides; acts are newest first.
func TestWants(t *testing.T) {
	of := func(kind upnext.EventKind) Act { return Act{Kind: kind, Scope: upnext.ScopeTopic, Topic: "Space"} }
	for _, c := range []struct {
		name          string
		kinds         []upnext.EventKind
		muted, pinned bool
	}{
		{"muted", []upnext.EventKind{upnext.Mute}, true, false},
		{"taken back", []upnext.EventKind{upnext.Unmute, upnext.Mute}, false, false},
		{"every kind is taken back", []upnext.EventKind{upnext.Unmute, upnext.Block, upnext.NotInterested}, false, false},
		{"muted again", []upnext.EventKind{upnext.Mute, upnext.Unmute, upnext.Block}, true, false},
		{"pinned", []upnext.EventKind{upnext.Pin}, false, true},
		{"pinned after a mute", []upnext.EventKind{upnext.Pin, upnext.Mute}, false, true},
		{"muted after a pin", []upnext.EventKind{upnext.Mute, upnext.Pin}, true, false},
		{"unpinned", []upnext.EventKind{upnext.Unpin, upnext.Pin}, false, false},
		{"a mute outlives an unpin", []upnext.EventKind{upnext.Unpin, upnext.Mute}, true, false},
		{"a pin outlives an unmute", []upnext.EventKind{upnext.Unmute, upnext.Pin}, false, true},
	} {
		var all []Act
		for _, kind := range c.kinds {
			all = append(all, of(kind))
		}
		s := Fold(acts(all...), shelfOf("space"), DefaultSettings())
		_, muted := s.Topics["space"]
		_, pinned := s.Pinned[upnext.SubjectOf(upnext.ScopeTopic, "SPACE")]
		if muted != c.muted || pinned != c.pinned {
			t.Errorf("%s: muted %v, pinned %v, want %v, %v", c.name, muted, pinned, c.muted, c.pinned)
		}
	}
}

// TestPins: what is pinned is dear without any other act, and stays so.
func TestPins(t *testing.T) {
	sh, set := shelfOf("a", "b"), DefaultSettings()
	pin := func(scope upnext.Scope, value string) Act {
		a := Act{Kind: upnext.Pin, Scope: scope}
		switch scope {
		case upnext.ScopeItem:
			a.Item = upnext.ItemID(value)
		case upnext.ScopeCreator:
			a.Creator = value
		default:
			a.Topic = value
		}
		return a
	}
	if s := Fold(acts(pin(upnext.ScopeTopic, "b")), sh, set); s.ToTopic["b"] != 1 {
		t.Errorf("topics %v, want b alone", s.ToTopic)
	}
	if s := Fold(acts(pin(upnext.ScopeCreator, "c")), sh, set); s.ToCreator["c"] < 0.5 {
		t.Errorf("creators %v, want c", s.ToCreator)
	}
	s := Fold(acts(pin(upnext.ScopeItem, "a0")), sh, set)
	if len(s.Positive) != 1 || s.Positive[0].Item.Item.ID != "a0" || s.Positive[0].Weight != set.Weights[upnext.Like] || len(s.Seen) != 0 {
		t.Errorf("%+v, seen %v; want a0 as if it were liked, and not seen", s.Positive, s.Seen)
	}
	// Behind more acts than taste is made of, and behind a like that fades.
	var many []Act
	for range set.History + 10 {
		many = append(many, Act{Kind: upnext.View, Item: "b1"})
	}
	s = Fold(acts(append(many, pin(upnext.ScopeItem, "a0"))...), sh, set)
	if s.Positive[0].Item.Item.ID != "a0" || s.Positive[0].Weight != set.Weights[upnext.Like] {
		t.Errorf("%+v, want a0 first, its weight not faded", s.Positive)
	}
	taken := Fold(acts(Act{Kind: upnext.Unmute, Scope: upnext.ScopeItem, Item: "a0"}, Act{Kind: upnext.Mute, Scope: upnext.ScopeItem, Item: "a0"}), sh, set)
	if len(taken.Negative) != 0 || len(taken.Items) != 0 {
		t.Errorf("an item whose mute was taken back: %+v, %v; want nothing against it", taken.Negative, taken.Items)
	}
}
