package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/filter"
	"upnext/index"
)

func item(id, title string, tags ...string) upnext.Item {
	return upnext.Item{ID: upnext.ItemID(id), Kind: "video", Title: title, Tags: tags}
}

func put(t *testing.T, w *world, items ...upnext.Item) []upnext.PutStatus {
	t.Helper()
	results, err := w.Put(t.Context(), tenant, items...)
	if err != nil {
		t.Fatal(err)
	}
	var statuses []upnext.PutStatus
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("put %s: %v", r.ID, r.Err)
		}
		statuses = append(statuses, r.Status)
	}
	return statuses
}

func TestPutMakesItemsSearchable(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Blobs.Put(t.Context(), "default/talk.vtt", strings.NewReader("WEBVTT\n\n00:00.000 --> 00:01.000\nsubmarine volcano\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Blobs.Put(t.Context(), "default/red.jpg", strings.NewReader(picture(t, color.RGBA{255, 0, 0, 255}))); err != nil {
		t.Fatal(err)
	}
	talk := item("talk", "a lecture", "science")
	talk.Transcript, talk.Thumbnail = "default/talk.vtt", "default/red.jpg"
	got := put(t, w, item("a/b", "bread and butter", "cooking"), talk)
	if want := []upnext.PutStatus{upnext.Created, upnext.Created}; !slices.Equal(got, want) {
		t.Errorf("put: %v, want %v", got, want)
	}
	for query, want := range map[string]upnext.ItemID{"butter": "a/b", "volcano": "talk"} {
		if got := w.found(t, query, 1); !slices.Equal(got, []upnext.ItemID{want}) {
			t.Errorf("search %q: %v, want %s", query, got, want)
		}
	}
	records, err := w.Catalog.Get(t.Context(), tenant, "talk")
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	if got := upnext.Values(records[0].Understanding.Topics); !slices.Equal(got, []string{"science"}) {
		t.Errorf("topics %v, want science", got)
	}
	marks, err := w.Indexings.Get(t.Context(), tenant, w.Space.Name(), "talk", "a/b")
	if err != nil || len(marks) != 2 {
		t.Fatal(marks, err)
	}
	if m := marks[0]; m.Text != "done" || m.Image != "done" || m.At.IsZero() {
		t.Errorf("mark of talk %+v, want text and image done", m)
	}
	if m := marks[1]; m.Text != "done" || m.Image != "none" {
		t.Errorf("mark of a/b %+v, want no image", m)
	}
	if w.changes != 1 {
		t.Errorf("%d changes announced, want 1", w.changes)
	}
}

func TestPutCallsNoEncoderWithoutNeed(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Blobs.Put(t.Context(), "default/p.jpg", strings.NewReader(picture(t, color.White))); err != nil {
		t.Fatal(err)
	}
	it := item("a", "bread", "cooking")
	it.Thumbnail = "default/p.jpg"
	put(t, w, it)
	calls, changes := w.text.calls(), w.changes

	if got := put(t, w, it); got[0] != upnext.Unchanged {
		t.Errorf("the same again: %s, want unchanged", got[0])
	}
	if w.text.calls() != calls || w.image.count != 1 || w.changes != changes {
		t.Errorf("the same again: %d texts, %d pictures, %d changes more", w.text.calls()-calls, w.image.count-1, w.changes-changes)
	}
	it.Status = upnext.Hidden
	if got := put(t, w, it); got[0] != upnext.Updated {
		t.Errorf("another status: %s, want updated", got[0])
	}
	if w.text.calls() != calls || w.image.count != 1 {
		t.Error("another status called an encoder")
	}
	if got := search(t, w, "status == 'hidden'"); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("hidden items in the index: %v, want a", got)
	}
	if _, err := w.Blobs.Put(t.Context(), "default/p.jpg", strings.NewReader(picture(t, color.Black))); err != nil {
		t.Fatal(err)
	}
	put(t, w, it)
	if w.image.count != 2 {
		t.Error("another picture under the same key was not embedded")
	}
}

// search returns the ids that the index's fields answer an expression with.
func search(t *testing.T, w *world, expression string) []upnext.ItemID {
	t.Helper()
	_, in, err := w.Collections.Active(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	f, err := filter.Parse(expression, nil)
	if err != nil {
		t.Fatal(err)
	}
	hits, err := in.Search(t.Context(), index.Query{Vectors: [][]float32{make([]float32, embed.ContentDim)}, K: 100, Filter: f})
	if err != nil {
		t.Fatal(err)
	}
	var ids []upnext.ItemID
	for _, h := range hits[0] {
		ids = append(ids, h.ID)
	}
	return ids
}

func TestPutRefusesItemByItem(t *testing.T) {
	w := newWorld(t)
	if err := w.Schemas.PutSchema(t.Context(), tenant, "items", upnext.Schema{{Name: "year", Type: upnext.Number, Filterable: true}}); err != nil {
		t.Fatal(err)
	}
	with := func(id string, change func(*upnext.Item)) upnext.Item {
		it := item(id, "title "+id)
		change(&it)
		return it
	}
	results, err := w.Put(t.Context(), tenant,
		item("good", "one"),
		item("untitled", " "),
		item(strings.Repeat("x", 100_000), "long id"),
		with("attr", func(it *upnext.Item) { it.Attributes = map[string]any{"colour": "red"} }),
		with("typed", func(it *upnext.Item) { it.Attributes = map[string]any{"year": "1999"} }),
		with("foreign", func(it *upnext.Item) { it.Thumbnail = "other/secret.jpg" }),
		item("twice", "first"), item("twice", "second"),
		with("missing", func(it *upnext.Item) { it.Thumbnail = "default/none.jpg" }),
		with("bytes", func(it *upnext.Item) { it.Title = "a\xffb" }),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "title: missing", "100000 bytes, 256 allowed", "attributes/colour: not in the schema",
		"attributes/year: 1999 is not a number", `keys of tenant default begin with "default/"`, "given again later", "", "", ""}
	for i, r := range results {
		got := ""
		if r.Err != nil {
			got = r.Err.Error()
			if !errors.Is(r.Err, upnext.ErrInvalid) || r.Status != "" {
				t.Errorf("item %d: %v is no ErrInvalid, or has status %q", i, r.Err, r.Status)
			}
		}
		if want[i] == "" && got != "" || !strings.Contains(got, want[i]) {
			t.Errorf("item %d: %.200q, want %q", i, got, want[i])
		}
	}
	if got := results[8].Failures; len(got) != 1 || got[0].Stage != "thumbnail" || got[0].Cause != "missing" {
		t.Errorf("failures of a missing thumbnail: %+v", got)
	}
	if got := w.found(t, "second", 1); !slices.Equal(got, []upnext.ItemID{"twice"}) {
		t.Errorf("the later of two items: %v", got)
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	put(t, w, item("a", "bread"), item("b", "butter"))
	got, err := w.Delete(t.Context(), tenant, "a", "absent")
	if err != nil || got != 1 {
		t.Fatalf("delete: %d, %v, want 1", got, err)
	}
	if got := w.found(t, "bread", 5); !slices.Equal(got, []upnext.ItemID{"b"}) {
		t.Errorf("after a delete the index has %v, want b", got)
	}
	if got := put(t, w, item("a", "bread")); got[0] != upnext.Created {
		t.Errorf("put after delete: %s, want created", got[0])
	}
	if got := w.found(t, "bread", 1); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("put after delete: search finds %v, want a", got)
	}
}

func TestPutFailsWithItsEncoderAndSweepFinishes(t *testing.T) {
	w := newWorld(t)
	w.text.err = fmt.Errorf("the encoder is away: %w", upnext.ErrUnavailable)
	if _, err := w.Put(t.Context(), tenant, item("a", "bread"), item("b", "butter")); !errors.Is(err, upnext.ErrUnavailable) {
		t.Fatalf("put without an encoder: %v, want ErrUnavailable", err)
	}
	w.text.err = nil
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if got := w.found(t, "butter", 1); !slices.Equal(got, []upnext.ItemID{"b"}) {
		t.Errorf("after the sweep search finds %v, want b", got)
	}
	pending, err := w.Indexings.Pending(t.Context(), tenant, w.Space.Name(), "", 10)
	if err != nil || len(pending) != 0 {
		t.Errorf("pending after the sweep: %v, %v", pending, err)
	}
	calls := w.text.calls()
	if err := w.Sweep(t.Context(), tenant); err != nil || w.text.calls() != calls {
		t.Errorf("a second sweep: %v, %d texts embedded, want none", err, w.text.calls()-calls)
	}
}

func TestSweepRemovesWhatIsGone(t *testing.T) {
	w := newWorld(t)
	put(t, w, item("a", "bread"), item("b", "butter"))
	// As if the process had been killed between the catalogue and the index, the other way round.
	if _, err := w.Catalog.Delete(t.Context(), tenant, "b"); err != nil {
		t.Fatal(err)
	}
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if got := w.found(t, "butter", 5); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("after the sweep the index has %v, want a", got)
	}
}

func TestSweepFillsAndPromotesANewSpace(t *testing.T) {
	w := newWorld(t)
	put(t, w, item("a", "bread"), item("b", "butter"))
	other, err := embed.NewSpace(w.text.Model(), w.image.Model(), .5)
	if err != nil {
		t.Fatal(err)
	}
	old := w.Space.Name()
	w.Space = other
	put(t, w, item("c", "cheese"))
	if name, _, err := w.Collections.Active(t.Context(), tenant); err != nil || name != old {
		t.Errorf("active while the new collection fills: %s, %v, want %s", name, err, old)
	}
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	name, _, err := w.Collections.Active(t.Context(), tenant)
	if err != nil || name != other.Name() {
		t.Errorf("active after the sweep: %s, %v, want %s", name, err, other.Name())
	}
	if got := w.found(t, "butter", 5); len(got) != 3 {
		t.Errorf("the new collection has %v, want three items", got)
	}
}

func TestRefreshAfterACorrection(t *testing.T) {
	w := newWorld(t)
	put(t, w, item("a", "bread", "science"))
	said := upnext.Understanding{Topics: []upnext.Label{{Value: "cooking", Confidence: 1, Model: upnext.ByPerson}}}
	if _, err := w.Understandings.Correct(t.Context(), tenant, "a", said); err != nil {
		t.Fatal(err)
	}
	calls := w.text.calls()
	if err := w.Refresh(t.Context(), tenant, "a"); err != nil {
		t.Fatal(err)
	}
	if got := search(t, w, "'cooking' in topics"); !slices.Equal(got, []upnext.ItemID{"a"}) || w.text.calls() != calls {
		t.Errorf("after a correction the index finds %v with %d texts embedded, want a with none", got, w.text.calls()-calls)
	}
	put(t, w, item("a", "bread anew", "science"))
	if got := search(t, w, "'cooking' in topics"); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("after a new version the person's word is gone from the index: %v", got)
	}
}

func TestLongAndBrokenParts(t *testing.T) {
	w := newWorld(t)
	objects := map[string]string{
		"default/long.txt":  strings.Repeat("word ", upnext.MaxTranscript/5+10),
		"default/cut.jpg":   picture(t, color.White)[:200],
		"default/c.ndjson":  "\"first\"\n{broken\n{\"text\":\"lighthouse\"}\n",
		"default/empty.txt": "",
	}
	for key, content := range objects {
		if _, err := w.Blobs.Put(t.Context(), key, bytes.NewReader([]byte(content))); err != nil {
			t.Fatal(err)
		}
	}
	it := item("a", "bread")
	it.Transcript, it.Thumbnail, it.CommentKey = "default/long.txt", "default/cut.jpg", "default/c.ndjson"
	results, err := w.Put(t.Context(), tenant, it)
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	var got []string
	for _, f := range results[0].Failures {
		got = append(got, f.Stage+" "+f.Key)
	}
	slices.Sort(got)
	want := []string{"comments default/c.ndjson", "thumbnail default/cut.jpg", "transcript default/long.txt"}
	if !slices.Equal(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
	if got := w.found(t, "lighthouse", 1); !slices.Equal(got, []upnext.ItemID{"a"}) {
		t.Errorf("search finds %v, want a", got)
	}
	again, err := w.Put(t.Context(), tenant, it)
	if err != nil || again[0].Status != upnext.Unchanged || len(again[0].Failures) == 0 {
		t.Errorf("the same again: %+v, %v: want unchanged, and its failures repeated", again, err)
	}
}
