package eventjson_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"upnext"
	"upnext/ingest/eventjson"
)

const full = `{"id":"e/1","kind":"progress","at":"2019-03-04T05:06:07.25+01:00","anonymous_id":"x","session_id":"s","item_id":"i","creator_id":"c",
"target_user_id":"t","topic":"p","query":"q","text":"w","value":0.25,"amount":3,"currency":"EUR","scope":"item","token":"tok","surface":"home",
"position":4,"watch":{"watched_ms":1500,"position_ms":20,"duration_ms":9000},"context":{"tv":true}}`

func TestDecode(t *testing.T) {
	got, err := eventjson.Decode([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := upnext.Event{
		ID: "e/1", Kind: upnext.Progress, At: time.Date(2019, 3, 4, 4, 6, 7, 25e7, time.UTC), Viewer: upnext.ViewerID{ID: "x", Anonymous: true},
		Session: "s", Item: "i", Creator: "c", Target: "t", Topic: "p", Query: "q", Text: "w", Value: .25, Amount: 3, Currency: "EUR",
		Scope: upnext.ScopeItem, Token: "tok", Surface: "home", Position: 4, Context: map[string]any{"tv": true},
		Watch: &upnext.Watch{Watched: 1500 * time.Millisecond, Position: 20 * time.Millisecond, Duration: 9 * time.Second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Decode:\n got %+v\nwant %+v", got, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	for in, want := range map[string]string{
		`[]`:                                 "array is not of its type",
		`{"id":7,"user_id":"u"}`:             "id: number",
		`{"mood":"glad","user_id":"u"}`:      "unknown field",
		`{"kind":"like"}`:                    "user_id: missing",
		`{"user_id":"u","anonymous_id":"a"}`: "one of the two",
		`{"kind":"rate","user_id":"u"}`:      "rate needs it",
		`{"kind":"like","user_id":"u"} {}`:   "more than one",
		`{"user_id":"u","at":"yesterday"}`:   "yesterday",
		`{"user_id":"u","watch":{"watched_ms":9223372036854775807}}`: "out of range",
	} {
		if _, err := eventjson.Decode([]byte(in)); !errors.Is(err, upnext.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%s) = %v, want an ErrInvalid with %q", in, err, want)
		}
	}
}

func TestDerivedID(t *testing.T) {
	e, err := eventjson.Decode([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	one, err := eventjson.DerivedID(e)
	if err != nil {
		t.Fatal(err)
	}
	e.ID, e.Seq, e.ReceivedAt = "another", 9, time.Now()
	same, _ := eventjson.DerivedID(e)
	e.At = e.At.Add(time.Millisecond)
	other, _ := eventjson.DerivedID(e)
	if one != same || one == other {
		t.Errorf("ids %s, %s of the same content, %s of another; want the first two equal", one, same, other)
	}
}

// FuzzDecode checks that what was read can be written and read again to the same event.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"id":"","kind":"rate","user_id":"u","value":0}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := eventjson.Decode(data)
		if err != nil {
			if !errors.Is(err, upnext.ErrInvalid) {
				t.Errorf("Decode(%q) = %v, want an ErrInvalid", data, err)
			}
			return
		}
		once, err := eventjson.Encode(e)
		if err != nil {
			return // a year that JSON cannot write
		}
		again, err := eventjson.Decode(once)
		if err != nil {
			t.Fatalf("Decode(Encode) of %q: %v", data, err)
		}
		if twice, err := eventjson.Encode(again); err != nil || string(twice) != string(once) {
			t.Fatalf("second round: %q, %v, want %q", twice, err, once)
		}
	})
}
