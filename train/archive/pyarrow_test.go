package archive_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"upnext"
	"upnext/infra/enginetest"
	"upnext/train/archive"
)

// reading is what pyarrow makes of a folder: its schema, its partitions and
// its rows, those of the events by kind too, which needs no column but one.
const reading = `
import json, sys
import pyarrow.dataset as ds, pyarrow.compute as pc
out = {}
for name in ("events", "slates"):
    data = ds.dataset(sys.argv[1] + "/" + name, format="parquet", partitioning="hive")
    rows = data.to_table().sort_by("seq")
    out[name] = {
        "schema": {f.name: str(f.type) for f in data.schema},
        "rows": json.loads(json.dumps(rows.to_pylist(), default=str)),
        "likes": data.count_rows(filter=pc.field("kind") == "like") if name == "events" else 0,
        "day": data.count_rows(filter=pc.field("day") == "2026-11-25"),
    }
print(json.dumps(out))
`

// TestPyarrow reads the data sets with a reader that is not ours.
func TestPyarrow(t *testing.T) {
	python := enginetest.URL(t, "UPNEXT_TEST_PYTHON")
	w := newWorld(t, archive.Settings{Context: []string{"device"}, MaxRows: 7})
	log := append(views("ann", 20), full())
	for i := range 5 {
		log[i].Kind, log[i].ReceivedAt = upnext.Like, noon.AddDate(0, 0, 1)
	}
	w.append(t, log...)
	slate := upnext.Slate{
		ID: "rec_1", Viewer: upnext.ViewerID{ID: "ann"}, At: noon, Scenario: "home",
		Items: []upnext.Placed{{Item: "a", Rank: 1, Score: .5, Sources: []string{"taste"}, Features: map[string]float64{"x": 2}}},
	}
	if err := w.store.Slates.Record(t.Context(), home, slate); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	cmd := exec.CommandContext(t.Context(), python, "-c", reading, filepath.Join(w.folder, string(home), "archive"))
	printed, err := cmd.Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var got struct {
		Events, Slates struct {
			Schema     map[string]string
			Rows       []map[string]any
			Likes, Day int
		}
	}
	if err := json.Unmarshal(printed, &got); err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"seq": "int64", "viewer": "string", "at": "timestamp[us, tz=UTC]", "value": "double", "anonymous": "bool",
		"watched_ms": "int64", "context": "map<string, string ('context')>", "day": "string", "user_hash": "string",
	} {
		if got := got.Events.Schema[column]; got != want {
			t.Errorf("events: column %s is %q, want %q", column, got, want)
		}
	}
	if len(got.Events.Rows) != len(log) || got.Events.Likes != 5 || got.Events.Day != 16 {
		t.Errorf("%d events, %d likes, %d of the first day, want %d, 5, 16", len(got.Events.Rows), got.Events.Likes, got.Events.Day, len(log))
	}
	ours := w.read(t, noon.AddDate(-9, 0, 0), noon.AddDate(9, 0, 0))
	for i, row := range got.Events.Rows {
		e := ours[log[i].Seq]
		if row["seq"] != float64(e.Seq) || row["viewer"] != e.Viewer || row["item"] != e.Item || row["kind"] != e.Kind ||
			row["at"] != log[i].At.Format("2006-01-02 15:04:05-07:00") || row["user_hash"] != e.Viewer[:2] ||
			row["day"] != log[i].ReceivedAt.Format("2006-01-02") {
			t.Errorf("event %d: pyarrow reads %v, want %+v", i, row, e)
		}
	}
	last := got.Events.Rows[len(log)-1]
	if last["watched_ms"] != 1500. || last["currency"] != "EUR" || got.Events.Rows[0]["watched_ms"] != nil || got.Events.Rows[0]["currency"] != nil {
		t.Errorf("the full event is %v, want its values, and nulls in %v", last, got.Events.Rows[0])
	}
	item := got.Slates.Rows[0]["items"].([]any)[0].(map[string]any)
	if got.Slates.Rows[0]["slate"] != "rec_1" || item["item"] != "a" || item["score"] != .5 || len(item["sources"].([]any)) != 1 || len(item["features"].([]any)) != 1 {
		t.Errorf("the slate is %v", got.Slates.Rows[0])
	}
}

// BenchmarkArchive archives 200,000 events of 5,000 viewers a round, from
// SQLite into a folder.
func BenchmarkArchive(b *testing.B) {
	const n = 200_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, archive.Settings{})
		for from := 0; from < n; from += 5_000 {
			w.append(b, synthetic(from, 5_000)...)
		}
		b.StartTimer()
		w.run(b)
		b.StopTimer()
		bytes := int64(0)
		for _, key := range w.files(b) {
			info, err := w.blobs.Stat(b.Context(), key)
			if err != nil {
				b.Fatal(err)
			}
			bytes += info.Size
		}
		b.ReportMetric(float64(bytes)/n, "bytes/event")
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
}
