package shelf

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// same reports how two shelves differ that should hold the same, whatever numbers
// their items have; empty where they do not.
func same(a, b *Shelf) string {
	records := func(items []*Item) (out []upnext.Record) {
		for _, it := range items {
			out = append(out, it.Record)
		}
		return out
	}
	if x, y := records(a.Newest()), records(b.Newest()); !reflect.DeepEqual(x, y) || a.Version() != b.Version() {
		return fmt.Sprintf("records %+v at %d, %+v at %d", x, a.Version(), y, b.Version())
	}
	for i, x := range a.Newest() {
		y := b.Newest()[i]
		if x.Content != y.Content || x.Free != y.Free || !slices.Equal(x.Topics, y.Topics) || b.Item(x.Item.ID) != y || !b.Knows(y) {
			return fmt.Sprintf("item %+v, %+v", x, y)
		}
	}
	all := func(*Item) bool { return true }
	for _, text := range []string{"red", "blue moon", "x", "深夜"} {
		x, y := a.Find(text, 100, all), b.Find(text, 100, all)
		if !slices.EqualFunc(x, y, func(m, n Match) bool { return m.Item.Item.ID == n.Item.Item.ID && m.Score == n.Score }) {
			return fmt.Sprintf("%q finds %v, %v", text, x, y)
		}
	}
	for _, c := range []string{"x", "y"} {
		if x, y := records(a.By(c)), records(b.By(c)); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("by %s %+v, %+v", c, x, y)
		}
	}
	if x, y := records(a.After("s", 0)), records(b.After("s", 0)); !reflect.DeepEqual(x, y) {
		return fmt.Sprintf("of the series %+v, %+v", x, y)
	}
	if x, y := a.Live(), b.Live(); len(x.List) != len(y.List) || len(x.By) != len(y.By) {
		return fmt.Sprintf("live %+v, %+v", x, y)
	}
	weights := map[string]float64{"red": 1, "tag": -0.5}
	for i, x := range a.Newest() {
		if m, n := a.Leanings(weights).Match(x), b.Leanings(weights).Match(b.Newest()[i]); m != n {
			return fmt.Sprintf("%s matches %v, %v", x.Item.ID, m, n)
		}
	}
	return ""
}

// TestSave: what is loaded is what was saved, and goes on as if nothing had been.
func TestSave(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		s, version := &Shelf{}, int64(0)
		change := func(shelves ...*Shelf) {
			version++
			r := upnext.Record{
				Version: version, Deleted: rapid.IntRange(0, 4).Draw(rt, "deleted") == 0,
				Item: upnext.Item{
					ID: upnext.ItemID(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id"))), Kind: rapid.SampledFrom([]upnext.Kind{"live", "video"}).Draw(rt, "kind"),
					Title: rapid.SampledFrom([]string{"red", "Blue moon", "深夜火锅"}).Draw(rt, "title"), RoomState: rapid.SampledFrom([]string{"", "on"}).Draw(rt, "room"),
					Tags: rapid.SliceOfN(rapid.SampledFrom([]string{"Tag", "x"}), 0, 2).Draw(rt, "tags"), CreatorID: rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "creator"),
					SeriesID: rapid.SampledFrom([]string{"", "s"}).Draw(rt, "series"), Episode: rapid.IntRange(0, 3).Draw(rt, "episode"),
					PublishedAt: day.AddDate(0, 0, rapid.IntRange(0, 3).Draw(rt, "day")), MinAge: rapid.IntRange(0, 1).Draw(rt, "age"),
				},
			}
			if len(r.Item.Tags) == 0 {
				r.Item.Tags = nil // as the catalogue has it
			}
			for _, s := range shelves {
				s.Apply(r)
			}
		}
		for range rapid.IntRange(1, 40).Draw(rt, "changes") {
			change(s)
		}
		var file bytes.Buffer
		if err := s.Save(&file); err != nil {
			rt.Fatal(err)
		}
		again := &Shelf{}
		if err := again.Load(bytes.NewReader(file.Bytes())); err != nil {
			rt.Fatal(err)
		}
		again.version = s.version // of a tombstone it holds nothing else
		if diff := same(s, again); diff != "" {
			rt.Fatal(diff)
		}
		for range rapid.IntRange(0, 20).Draw(rt, "more changes") {
			change(s, again)
		}
		if diff := same(s, again); diff != "" {
			rt.Fatalf("it goes on: %s", diff)
		}
		damaged := file.Bytes()
		damaged[rapid.IntRange(0, len(damaged)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		if empty := (&Shelf{}); empty.Load(bytes.NewReader(damaged)) == nil || empty.Len() != 0 {
			rt.Fatal("a damaged file is loaded")
		}
	})
}

// filled sets every field of a value to something that is not zero.
func filled(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			filled(v.Index(i), n)
		}
	case reflect.Map: // attributes: each type that one may have
		v.Set(reflect.ValueOf(map[string]any{"text": "a", "number": 1.5, "yes": true, "no": false, "time": time.UnixMicro(5).UTC(), "list": []string{"a", "b"}, "empty": []string{}}))
	case reflect.Struct:
		if v.Type() == reflect.TypeOf(time.Time{}) {
			v.Set(reflect.ValueOf(time.UnixMicro(int64(*n) * 1e6).UTC()))
			return
		}
		for i := range v.NumField() {
			filled(v.Field(i), n)
		}
	case reflect.Pointer: // Record.Only is Put's, and no store gives it
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// TestSaveAllFields: a field that Item, Understanding or Record gains is saved, or
// this fails.
func TestSaveAllFields(t *testing.T) {
	var r upnext.Record
	n := 0
	filled(reflect.ValueOf(&r).Elem(), &n)
	r.Deleted = false
	s, again := &Shelf{}, &Shelf{}
	s.Apply(r)
	var file bytes.Buffer
	if err := s.Save(&file); err != nil {
		t.Fatal(err)
	}
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	got, want := again.Item(r.Item.ID), s.Item(r.Item.ID)
	if got == nil || !reflect.DeepEqual(got.Record, want.Record) || got.Content != want.Content {
		t.Errorf("loaded %+v\nwant %+v", got, want)
	}
	if want.Item.Title == "" || want.Item.Description != "" {
		t.Error("the shelf does not hold what it says")
	}
}
