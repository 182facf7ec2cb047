package storetest

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"upnext"
)

func testUnderstandings(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { understandingRoundTrip(t, open(t, "understandings")) })
	t.Run("person", func(t *testing.T) { understandingPerson(t, open(t, "understandings")) })
	t.Run("version", func(t *testing.T) { understandingVersion(t, open(t, "understandings")) })
	t.Run("absent", func(t *testing.T) { understandingAbsent(t, open(t, "understandings")) })
}

func believe(t failer, s Stores, tenant upnext.Tenant, id upnext.ItemID, u upnext.Understanding) {
	t.Helper()
	ok(t, "believe", s.Understandings.Believe(t.Context(), tenant, map[upnext.ItemID]upnext.Understanding{id: u}))
}

// known returns the one record and fails where there is none.
func known(t failer, s Stores, tenant upnext.Tenant, id upnext.ItemID) upnext.Record {
	t.Helper()
	got, err := s.Catalog.Get(t.Context(), tenant, id)
	ok(t, "get", err)
	if len(got) != 1 {
		t.Fatalf("get %s: %d records, want 1", id, len(got))
	}
	return got[0]
}

func understandingRoundTrip(t *testing.T, s Stores) {
	_, err := s.Catalog.Put(t.Context(), a, record("x", "one"))
	ok(t, "put", err)
	rapid.Check(t, func(rt *rapid.T) {
		u := understandings().Draw(rt, "understanding")
		believe(rt, s, a, "x", u)
		want(rt, "belief", known(rt, s, a, "x").Understanding, u)
	})
}

func understandingPerson(t *testing.T, s Stores) {
	ctx := t.Context()
	model := func(values ...string) []upnext.Label {
		var l []upnext.Label
		for _, v := range values {
			l = append(l, upnext.Label{Value: v, Confidence: 0.5, Evidence: "title", Model: "m1"})
		}
		return l
	}
	person := func(value string) []upnext.Label {
		return []upnext.Label{{Value: value, Confidence: 1, Model: upnext.ByPerson}}
	}
	_, err := s.Catalog.Put(ctx, a, record("x", "one"), record("y", "one"))
	ok(t, "put", err)
	believe(t, s, a, "x", upnext.Understanding{Topics: model("sea", "ship"), Style: model("noir"), Safety: model("violence")})

	got, err := s.Understandings.Correct(ctx, a, "x", upnext.Understanding{
		Topics: []upnext.Label{{Value: "harbour", Confidence: 0.2}}, Safety: []upnext.Label{},
	})
	ok(t, "correct", err)
	wanted := upnext.Understanding{Topics: person("harbour"), Style: model("noir"), Safety: []upnext.Label{}}
	want(t, "what Correct returns", got, wanted)
	want(t, "what Get shows", known(t, s, a, "x").Understanding, wanted)

	believe(t, s, a, "x", upnext.Understanding{Topics: model("lake"), Style: model("comic"), Safety: model("gore"), Emotion: model("joy")})
	wanted.Style, wanted.Emotion = model("comic"), model("joy")
	want(t, "a later belief is seen where nobody spoke", known(t, s, a, "x").Understanding, wanted)

	got, err = s.Understandings.Correct(ctx, a, "x", upnext.Understanding{Style: person("satire")})
	ok(t, "correct again", err)
	wanted.Style = person("satire")
	want(t, "earlier words stay", got, wanted)

	_, err = s.Catalog.Put(ctx, a, record("x", "two"))
	ok(t, "put", err)
	want(t, "over an update of the item", known(t, s, a, "x").Understanding, wanted)
	want(t, "another item", known(t, s, a, "y").Understanding, upnext.Understanding{})

	_, err = s.Catalog.Delete(ctx, a, "x")
	ok(t, "delete", err)
	_, err = s.Catalog.Put(ctx, a, record("x", "two"))
	ok(t, "put", err)
	want(t, "a new item of the same id", known(t, s, a, "x").Understanding, upnext.Understanding{})
}

func understandingVersion(t *testing.T, s Stores) {
	ctx := t.Context()
	_, err := s.Catalog.Put(ctx, a, record("x", "one"), record("y", "one"))
	ok(t, "put", err)
	changed := func(after int64, what string, w ...upnext.ItemID) int64 {
		t.Helper()
		got, err := s.Catalog.Changes(ctx, a, after, 10)
		ok(t, "changes", err)
		want(t, what, idsOf(got), w)
		if len(got) == 0 {
			return after
		}
		return got[len(got)-1].Version
	}
	version := changed(0, "at first", "x", "y")
	u := upnext.Understanding{Topics: []upnext.Label{{Value: "sea", Confidence: 0.5, Model: "m1"}}}
	believe(t, s, a, "x", u)
	version = changed(version, "believed", "x")
	believe(t, s, a, "x", u)
	version = changed(version, "believed the same")
	_, err = s.Understandings.Correct(ctx, a, "x", upnext.Understanding{Style: []upnext.Label{{Value: "noir"}}})
	ok(t, "correct", err)
	version = changed(version, "corrected", "x")
	_, err = s.Understandings.Correct(ctx, a, "x", upnext.Understanding{})
	ok(t, "correct nothing", err)
	version = changed(version, "corrected in nothing")
	ok(t, "believe of both", s.Understandings.Believe(ctx, a, map[upnext.ItemID]upnext.Understanding{"x": {}, "y": u}))
	changed(version, "believed of both", "x", "y")
}

func understandingAbsent(t *testing.T, s Stores) {
	ctx := t.Context()
	u := upnext.Understanding{Topics: []upnext.Label{{Value: "sea", Confidence: 0.5}}}
	_, err := s.Understandings.Correct(ctx, a, "none", u)
	is(t, "correct what is not there", err, upnext.ErrNotFound)
	_, err = s.Catalog.Put(ctx, b, record("x", "one"))
	ok(t, "put", err)
	_, err = s.Understandings.Correct(ctx, a, "x", u)
	is(t, "correct another tenant's item", err, upnext.ErrNotFound)
	believe(t, s, a, "x", u)
	want(t, "belief in another tenant", known(t, s, b, "x").Understanding, upnext.Understanding{})
	_, err = s.Catalog.Delete(ctx, b, "x")
	ok(t, "delete", err)
	_, err = s.Understandings.Correct(ctx, b, "x", u)
	is(t, "correct a deleted item", err, upnext.ErrNotFound)
	ok(t, "believe of a deleted item", s.Understandings.Believe(ctx, b, map[upnext.ItemID]upnext.Understanding{"x": u}))
	ok(t, "believe of nothing", s.Understandings.Believe(ctx, b, nil))
	nan := upnext.Understanding{Topics: []upnext.Label{{Value: "sea", Confidence: math.NaN()}}}
	err = s.Understandings.Believe(ctx, b, map[upnext.ItemID]upnext.Understanding{"x": nan})
	is(t, "believe with a confidence that is no number", err, upnext.ErrInvalid)
}
