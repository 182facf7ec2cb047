package serve

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"upnext"
)

// TestMeasuredGauges: the gauges say what the store counts, by each part, and
// those of a viewer who was erased go. When the store cannot be read they stay.
func TestMeasuredGauges(t *testing.T) {
	reg := prometheus.NewRegistry()
	w := newWorld(t, 3, func(c *Config) { c.Metrics = reg })
	page := w.page("ann")
	w.does("ann", upnext.Event{Kind: upnext.Impression, Token: page.Items[0].Token})
	w.does("ann", upnext.Event{Kind: upnext.Play, Token: page.Items[1].Token})
	w.measured(upnext.PartScenario)

	labels := w.rec.showMeasured(t.Context(), nil)
	gauge := func(by upnext.Part, value, count string) float64 {
		var m dto.Metric
		if err := w.rec.meters.measure.lastDay.WithLabelValues(string(tenantT), string(by), value, count).Write(&m); err != nil {
			t.Fatal(err)
		}
		return m.GetGauge().GetValue()
	}
	for _, c := range []struct {
		by           upnext.Part
		value, count string
		want         float64
	}{
		{upnext.PartScenario, "home", "impressions", 2},
		{upnext.PartScenario, "home", "clicks", 1},
		{upnext.PartPosition, "01", "clicks", 0},
		{upnext.PartPosition, "02", "clicks", 1},
		{upnext.PartKind, "video", "impressions", 2},
	} {
		if got := gauge(c.by, c.value, c.count); got != c.want {
			t.Errorf("%s %s: %s is %g, want %g", c.by, c.value, c.count, got, c.want)
		}
	}
	if source := page.Items[1].Sources[0]; gauge(upnext.PartSource, source, "clicks") != 1 {
		t.Errorf("source %s has no click, but it found what was played", source)
	}
	if got := counted(t, w.rec.meters.measure.attributed.WithLabelValues("token")); got != 2 {
		t.Errorf("%g events attributed by token, want 2", got)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if kept := w.rec.showMeasured(ended, labels); len(kept) != len(labels) || gauge(upnext.PartScenario, "home", "clicks") != 1 {
		t.Errorf("%d of %d gauges after the store was not there, want all", len(kept), len(labels))
	}
	if _, err := w.rec.Erase(t.Context(), tenantT, user("ann")); err != nil {
		t.Fatal(err)
	}
	w.rec.showMeasured(t.Context(), labels)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "upnext_measured_last_day") {
			t.Errorf("after erasure: %v", f)
		}
	}
}
