package itemjson_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/ingest/itemjson"
)

const full = `{"id":"a/b 1","kind":"live","title":"T","description":"D","tags":["x","y"],"language":"zh-Hans",
 "creator_id":"c1","creator_name":"C","series_id":"s","episode":3,"duration_ms":1500,"published_at":"2026-01-02T03:04:05Z",
 "available_from":"2026-01-01","available_until":"2027-01-01T00:00:00+02:00","regions":["DE"],"min_age":12,"status":"hidden",
 "thumbnail":"t.jpg","transcript":"hello\nworld","lyrics":"la","comments":["one",{"author":"z","text":"two"}],
 "attributes":{"year":1999,"hd":true,"director":"X","cast":["A","B"],"shot":"2020-01-01T00:00:00Z","day":"2020-01-02","gone":null}}`

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDecode(t *testing.T) {
	got, err := itemjson.Decode([]byte(full), upnext.Schema{{Name: "day", Type: upnext.Time}})
	if err != nil {
		t.Fatal(err)
	}
	want := upnext.Item{
		ID: "a/b 1", Kind: "live", Title: "T", Description: "D", Tags: []string{"x", "y"}, Language: "zh-Hans",
		CreatorID: "c1", CreatorName: "C", SeriesID: "s", Episode: 3, Duration: 1500 * time.Millisecond,
		PublishedAt: at("2026-01-02T03:04:05Z"), AvailableFrom: at("2026-01-01T00:00:00Z"),
		AvailableUntil: at("2026-12-31T22:00:00Z"), Regions: []string{"DE"}, MinAge: 12, Status: upnext.Hidden,
		Thumbnail: "t.jpg", Transcript: "hello\nworld", Lyrics: "la", Comments: []string{"one", "two"},
		Attributes: map[string]any{"year": 1999.0, "hd": true, "director": "X", "cast": []string{"A", "B"},
			"shot": at("2020-01-01T00:00:00Z"), "day": at("2020-01-02T00:00:00Z")},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Decode:\n got %+v\nwant %+v", got, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	schema := upnext.Schema{{Name: "year", Type: upnext.Number}, {Name: "when", Type: upnext.Time}}
	for in, want := range map[string]string{
		``:                                  "EOF",
		`[1]`:                               "a JSON array is not an item",
		`null`:                              "null is not an item",
		`{"id":"a"} {"id":"b"}`:             "more than one",
		`{"id":"a",}`:                       "byte 11",
		"{\"id\":\"\xff\"}":                 "not UTF-8",
		`{"id":7}`:                          "id: 7 is not a string",
		`{"Title":"x"}`:                     "Title: an item has no such field",
		`{"tags":"x"}`:                      "tags: \"x\" is not a list",
		`{"tags":["a",3]}`:                  "tags/1: 3 is not a string",
		`{"episode":1.5}`:                   "episode: 1.5 is not a whole number",
		`{"duration_ms":9007199254740993}`:  "duration_ms: ",
		`{"published_at":"yesterday"}`:      "published_at: \"yesterday\" is not a time",
		`{"comments":{"text":"x"}}`:         "comments: ",
		`{"comments":[{"author":"x"}]}`:     "comments/0: ",
		`{"attributes":[]}`:                 "attributes: [] is not an object",
		`{"attributes":{"year":"1999"}}`:    "attributes/year: \"1999\" is not a number",
		`{"attributes":{"when":5}}`:         "attributes/when: 5 is not a string",
		`{"attributes":{"other":{"a":1}}}`:  "attributes/other: ",
		`{"attributes":{"other":["a", 1]}}`: "attributes/other/1: 1 is not a string",
	} {
		_, err := itemjson.Decode([]byte(in), schema)
		var field *itemjson.FieldError
		if err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%s) = %v, want %q", in, err, want)
		} else if !errors.Is(err, upnext.ErrInvalid) || !errors.As(err, &field) {
			t.Errorf("Decode(%s) = %v, want a FieldError that is an ErrInvalid", in, err)
		}
	}
}

func TestExtend(t *testing.T) {
	base := upnext.Schema{{Name: "year", Type: upnext.Number}}
	got, grew := itemjson.Extend(base, map[string]any{"year": 1.0, "hd": true, "at": time.Time{}, "cast": []string{}, "by": "x"})
	want := upnext.Schema{{Name: "year", Type: upnext.Number}, {Name: "at", Type: upnext.Time, Filterable: true},
		{Name: "by", Type: upnext.String, Filterable: true}, {Name: "cast", Type: upnext.Strings, Filterable: true},
		{Name: "hd", Type: upnext.Bool, Filterable: true}}
	if !grew || !reflect.DeepEqual(got, want) {
		t.Errorf("Extend = %v %v, want %v true", got, grew, want)
	}
	if _, grew := itemjson.Extend(got, map[string]any{"hd": false}); grew {
		t.Error("Extend by a known attribute says that it grew")
	}
}

func TestParseAttribute(t *testing.T) {
	for _, c := range []struct {
		value string
		kind  upnext.AttributeType
		want  any
	}{
		{"1999", upnext.Number, 1999.0}, {"1999", upnext.String, "1999"}, {"true", upnext.Bool, true},
		{"a| b ||c", upnext.Strings, []string{"a", "b", "c"}}, {"2020-01-01", upnext.Time, at("2020-01-01T00:00:00Z")},
		{"nineteen", upnext.Number, nil}, {"", upnext.Number, nil}, {"yes", upnext.Bool, nil}, {"?", upnext.Time, nil},
	} {
		got, err := itemjson.ParseAttribute("a", c.value, c.kind)
		if (err != nil) != (c.want == nil) {
			t.Errorf("ParseAttribute(%q, %s): error %v, want one: %v", c.value, c.kind, err, c.want == nil)
		} else if err == nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseAttribute(%q, %s) = %v, want %v", c.value, c.kind, got, c.want)
		}
	}
}

// FuzzDecode checks that what was read can be written and read again to the same item.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"comments":"c.ndjson","attributes":{"e":[],"n":-0.0}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		it, err := itemjson.Decode(data, nil)
		if err != nil {
			if !errors.Is(err, upnext.ErrInvalid) {
				t.Errorf("Decode(%q) = %v, want an ErrInvalid", data, err)
			}
			return
		}
		once, err := itemjson.Encode(it)
		if err != nil {
			t.Fatalf("Encode(%+v): %v", it, err)
		}
		again, err := itemjson.Decode(once, nil)
		if err != nil {
			t.Fatalf("Decode(Encode) of %q: %v", data, err)
		}
		if twice, err := itemjson.Encode(again); err != nil || string(twice) != string(once) {
			t.Fatalf("second round: %q, %v, want %q", twice, err, once)
		}
	})
}
