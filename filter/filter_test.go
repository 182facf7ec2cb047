package filter

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"upnext"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var schema = upnext.Schema{
	{Name: "mood", Type: upnext.String, Filterable: true},
	{Name: "stars", Type: upnext.Number, Filterable: true},
	{Name: "free", Type: upnext.Bool, Filterable: true},
	{Name: "filmed", Type: upnext.Time, Filterable: true},
	{Name: "cast", Type: upnext.Strings, Filterable: true},
	{Name: "title", Type: upnext.Number, Filterable: true}, // clashes with a built-in field
	{Name: "secret", Type: upnext.String},
	{Name: "boosted", Type: upnext.Number, Boostable: true},
}

// item is a full item; what is not here is null: creator_id, series_id, attributes.stars.
var item = upnext.Fields{
	"id": "v1", "kind": "video", "title": "雾 in a jar", "tags": []string{"fog", "physics"}, "language": "en",
	"duration_ms": 600_000.0, "published_at": noon.Add(-48 * time.Hour), "min_age": 0.0, "status": "active",
	"topics": []string{"science", "education"}, "attributes.mood": "calm", "attributes.free": true,
	"attributes.cast": []string{"Ann"}, "attributes.filmed": noon.Add(-72 * time.Hour), "attributes.title": 7.0,
}

var vars = Vars{
	Now: noon,
	User: map[string]any{
		"language": "en", "age": 17.0, "premium": true, "since": noon.Add(-1000 * time.Hour),
		"likes": []string{"science", "pets"}, "muted": []string{"horror"},
	},
	Context: map[string]any{"device": "tv", "kind": "video"},
}

func TestMatch(t *testing.T) {
	tests := []struct {
		src  string
		want bool
	}{
		{"kind in ['video','live'] and duration_ms < 900000 and not ('horror' in topics)", true},
		{"kind == 'live' or kind == 'video'", true},
		{"kind != 'video'", false},
		{"!(kind == 'video') || duration_ms >= 600000", true},
		{"'science' in topics && 'horror' not in topics", true},
		{"kind not in ['live', 'ad']", true},
		{"100 < duration_ms <= 600_000", true},
		{"duration_ms / 60000 == 10", true},
		{"(duration_ms - 1) % 2 == 1 and duration_ms * 2 > 1e6 and -duration_ms < 0", true},
		{"duration_ms / 0 > 1 or duration_ms % 0 >= 0", false},

		// null: a comparison is false, its not is true, != is the not of ==.
		{"creator_id == 'c1'", false},
		{"creator_id != 'c1'", true},
		{"not (creator_id == 'c1')", true},
		{"creator_id in ['c1', 'c2']", false},
		{"creator_id not in ['c1', 'c2']", true},
		{"creator_id == nil and nil == series_id", true},
		{"creator_id != nil or kind == nil", false},
		{"stars < 3 or stars >= 3", false},
		{"stars + 1 == nil and duration_ms + 1 != nil", true},
		{"episode != episode", true}, // null equals nothing, itself included
		{"len(regions) == 0 and regions == nil", true},
		{"'x' in regions or any(regions, true)", false},
		{"all(regions, # == 'x') and none(regions, # == 'x')", true},

		// attributes, bare and by their full name
		{"mood == 'calm' and attributes.mood == mood", true},
		{"attributes['mood'] startsWith 'ca'", true},
		{"free", true},
		{"not free or free == false", false},
		{"free == (kind == 'video')", true},
		{"title contains 'jar' and attributes.title == 7", true}, // the built-in field wins the bare name
		{"'Ann' in cast and filmed < published_at", true},

		// text and lists
		{"title startsWith '雾' and title endsWith 'jar' and len(title) == 10", true},
		{"not (title contains 'fog')", true},
		{"len(topics) == 2 and len(tags) >= len(topics)", true},
		{"any(topics, # == 'science')", true},
		{"any(topics, 'science' == #)", true},
		{"any(topics, # in ['war', 'education'])", true},
		{"any(topics, # startsWith 'edu' and len(#) > 3)", true},
		{"all(topics, # != 'war')", true},
		{"all(topics, # == 'science')", false},
		{"none(topics, # == 'war')", true},
		{"any(['war', 'science'], # in topics)", true},
		{"any(topics, any(tags, # == 'fog'))", true},
		{"any(topics, # in tags)", false},
		{"language in tags", false},
		{"kind in ['a','b','c','d','e','f','g','h','i','video']", true},
		{"duration_ms in [1, 600000.0] and free in [true]", true},

		// time
		{"published_at > now() - duration('72h')", true},
		{"published_at > now() - duration('1.5d')", false},
		{"published_at + duration('2d') == now()", true},
		{"now() - published_at > duration('47h')", true},
		{"age_hours < 72 and age_hours > 47 and age_hours == 48 and 48 <= age_hours", true},
		{"age_hours * 2 == 96 and age_hours != nil", true},
		{"age_hours < 1e300 and age_hours > -1e300", true},
		{"published_at >= date('2026-02-27') and published_at < date('2026-02-27T12:00:01Z')", true},
		{"published_at in [date('2026-02-27T12:00:00Z')]", true},

		// variables
		{"language == user.language", true},
		{"user.age >= min_age", true},
		{"user.premium and not user.banned", true},
		{"user.banned == nil and user['premium'] != nil", true},
		{"any(topics, # in user.likes)", true},
		{"any(user.likes, # in topics) and none(user.muted, # in topics)", true},
		{"kind == context.kind and 'science' in user.likes", true},
		{"kind in [context.kind, 'live'] and kind in [context.kind]", true},
		{"kind in user.likes", false},
		{"user.language == context.device", false},
		{"user.language < user.age or user.likes == user.likes", false}, // types differ; lists do not compare
		{"kind == user.age or duration_ms == user.language or published_at == user.premium", false},
		{"published_at > user.since", true},
		{"published_at > user.since + duration('1h') and user.age + 1 == 18", true},
		{"len(user.likes) == 2 and len(user.language) == 2 and len(user.none) == 0", true},
		{"user.language startsWith 'e'", true},
		{"true", true},
		{"1 == 2 or 'a' in ['b']", false},
	}
	for _, test := range tests {
		f, err := Parse(test.src, schema)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.src, err)
			continue
		}
		if got := f.Match(item, vars); got != test.want {
			t.Errorf("Match(%q): got %v, want %v", test.src, got, test.want)
		}
		// The tree may only be wider, and as wide as the predicate where it is whole.
		if got := Eval(Relax(f.Bind(vars), nil), item); test.want && !got {
			t.Errorf("Relax(Bind(%q)) refuses what Match passes: %#v", test.src, f.Bind(vars))
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		src    string
		column int
		detail string // a part of it
	}{
		{"", 1, "empty"},
		{"  \n", 1, "empty"},
		{"kind == 'video' and durtion_ms < 5", 21, "did you mean duration_ms?"},
		{"'é' == title and\nkynd == 'x'", 18, "did you mean kind?"},
		{"moood == 'x'", 1, "attributes.mood"},
		{"attributes.starz > 3", 1, "attributes.stars"},
		{"secret == 'x'", 1, "not filterable"},
		{"boosted > 3", 1, "not filterable"},
		{"kind < 5", 6, "kind (string) < a number"},
		{"duration_ms > '5'", 13, "duration_ms (number) > a string"},
		{"published_at > '2026-01-01'", 14, "date('2026-01-31')"},
		{"topics == 'war'", 8, "'x' in LIST"},
		{"topics == tags", 8, "any("},
		{"topics", 1, "'x' in topics"},
		{"kind", 1, "not a condition"},
		{"kind and true", 1, "not a condition"},
		{"not duration_ms", 5, "not a condition"},
		{"5 in topics", 3, "holds strings"},
		{"'a' in title", 5, "contains"},
		{"kind in 5", 6, "no list"},
		{"kind in ['a', 5]", 15, "in a list of strings"},
		{"kind in [5]", 6, "in a list of numbers"},
		{"kind in [title]", 10, "constants"},
		{"kind in [nil]", 10, "cannot be an element"},
		{"kind in []", 9, "empty list"},
		{"topics in ['a']", 8, "any(topics"},
		{"topics contains 'a'", 8, "any(topics"},
		{"duration_ms contains 'a'", 13, "both must be strings"},
		{"kind + 'a' == 'b'", 6, "no meaning"},
		{"-kind == 'b'", 1, "a number is needed"},
		{"kind > nil", 6, "only == and !="},
		{"(kind == 'a') == nil", 15, "never nil"},
		{"free < true", 6, "not ordered"},
		{"any(kind, # == 'a')", 5, "a list of strings is needed"},
		{"any([1, 2], # == 'a')", 5, "a list of strings is needed"},
		{"any(topics, # == 1)", 15, "a string == a number"},
		{"len(duration_ms) > 1", 5, "no length"},
		{"len(topics, tags) > 1", 1, "takes 1 arguments"},
		{"duration(title) > duration('1h')", 1, "one text in quotes"},
		{"duration('soon') > duration('1h')", 10, "no duration"},
		{"published_at > date('31.1.2026')", 21, "no date"},
		{"upper(title) == 'A'", 1, "no function upper"},
		{"filter(topics, true) == tags", 1, "no function filter"},
		{"title matches 'a.*'", 7, "matches"},
		{"(kind ?? 'a') == 'b'", 7, "not part of filters"},
		{"free ? true : false", 19, "a choice"},
		{"let x = 1; x == 1", 5, "let"},
		{"{a: 1} == nil", 1, "a map"},
		{"topics[1:2] == nil", 7, "a slice"},
		{"topics[0] == 'a'", 7, "attributes.NAME"},
		{"user?.x == 1", 7, "?."},
		{"user == 1", 1, "user.NAME"},
		{"kind.x == 1", 1, "kind has no members"},
		{"user.f(1) == 1", 6, "methods"},
		{"#index == 1", 1, ""},
		{"any(topics, #index == 1)", 13, "no meaning here"},
		{"kind == ", 8, "too early"},
		{"kind == 'x", 11, "not terminated"},
		{"(kind == 'x'", 12, "too early"},
		{"kind == 'x' 'y'", 13, "unexpected string"},
		{"kind = 'x'", 6, "unexpected operator"},
		{"99999999999999999999 > 1", 0, ""},
		{"kind == '\xff'", 1, "UTF-8"},
		{strings.Repeat(" ", MaxSource) + "true", 1, "4096 allowed"},
		{strings.Repeat("not ", MaxDepth+1) + "true", 0, "deep"},
		{strings.Repeat("(", 2000) + "true", 0, ""},
		{"1 in [" + strings.Repeat("1,", MaxList) + "1]", 6, "1000 allowed"},
	}
	for _, test := range tests {
		_, err := Parse(test.src, schema)
		at := (*Error)(nil)
		if !errors.As(err, &at) || !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("Parse(%.40q): got %v, want an *Error that is invalid", test.src, err)
			continue
		}
		if test.column > 0 && at.Column != test.column || !strings.Contains(at.Detail, test.detail) {
			t.Errorf("Parse(%.40q): got %v, want column %d and %q", test.src, err, test.column, test.detail)
		}
	}
}

func TestLimitsHold(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat("free and ", MaxSource/9), " and ")
	f, err := Parse(long, schema)
	if err != nil || !f.Match(item, vars) {
		t.Errorf("a chain of %d bytes: got %v, want it to match: chains are not depth", len(long), err)
	}
	if _, err := Parse("1 in ["+strings.Repeat("1,", MaxList-1)+"1]", nil); err != nil {
		t.Errorf("%d elements: got %v, want no error", MaxList, err)
	}
}

func TestBind(t *testing.T) {
	tests := []struct {
		src  string
		want Node
	}{
		{"kind == 'video'", Compare{"kind", Eq, "video"}},
		{"900 > duration_ms", Compare{"duration_ms", Lt, 900.0}},
		{"kind != 'video'", Not{Compare{"kind", Eq, "video"}}},
		{"'a' in topics", Compare{"topics", Eq, "a"}},
		{"kind in ['a', 'b']", In{"kind", []any{"a", "b"}}},
		{"any(topics, # in ['a', 'b'])", In{"topics", []any{"a", "b"}}},
		{"any(user.likes, # in topics)", In{"topics", []any{"science", "pets"}}},
		{"none(topics, # in user.likes)", Not{In{"topics", []any{"science", "pets"}}}},
		{"kind == user.nothing", Const(false)},
		{"duration_ms < user.age * 1000", Compare{"duration_ms", Lt, 17000.0}},
		{"kind == user.age", Const(false)},
		{"free and not (creator_id == nil)", And{Compare{"attributes.free", Eq, true}, Not{Null{"creator_id"}}}},
		{"published_at > now() - duration('1h')", Compare{"published_at", Gt, noon.Add(-time.Hour)}},
		{"age_hours < 72", Compare{"published_at", Gt, noon.Add(-72 * time.Hour)}},
		{"user.premium and kind == 'a'", Compare{"kind", Eq, "a"}},
		{"user.premium or kind == 'a'", Const(true)},
		{"len(topics) > 1", Opaque{}},
		{"not (len(topics) > 1)", Opaque{}},
		{"title contains 'a' or kind == 'b'", Or{Opaque{}, Compare{"kind", Eq, "b"}}},
	}
	for _, test := range tests {
		f, err := Parse(test.src, schema)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Bind(vars); !same(got, test.want) {
			t.Errorf("Bind(%q): got %#v, want %#v", test.src, got, test.want)
		}
	}
}

func TestUsesAndNil(t *testing.T) {
	f, err := Parse("mood == 'a' or age_hours < 3 or len(topics) > user.age", schema)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Uses(), []string{"attributes.mood", "published_at", "topics"}; !slices.Equal(got, want) {
		t.Errorf("Uses: got %v, want %v", got, want)
	}
	none := (*Filter)(nil)
	if !none.Match(item, vars) || none.Bind(vars) != Node(Const(true)) || none.Uses() != nil || none.String() != "" {
		t.Error("a nil filter does not pass everything")
	}
}

func TestParseBoost(t *testing.T) {
	f, err := ParseBoost("boosted > 3", schema)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Match(upnext.Fields{"attributes.boosted": 4.0}, Vars{}); !got {
		t.Error("boosted > 3: got false, want true")
	}
	if _, err := ParseBoost("secret == 'x'", schema); err == nil {
		t.Error("an attribute neither boostable nor filterable: got no error")
	}
}

func BenchmarkMatch(b *testing.B) {
	f, err := Parse("kind in ['video','live'] and duration_ms < 900000 and not ('horror' in topics)", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Match(item, vars)
	}
}
