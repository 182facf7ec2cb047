package serve

import (
	"fmt"
	"math"
	"testing"

	"upnext"
	"upnext/learn/bundle"
)

// TestPageWeights: where a bundle weighs the features of a page, answers of its models
// are scored by its weights; other answers go by the settings.
func TestPageWeights(t *testing.T) {
	const per = 8
	w := newWorld(t, per, nil)
	w.crowds(40, per)
	for i := range 4 {
		w.does("ann", upnext.Event{Kind: upnext.Like, Item: itemOf("cooking", i).ID})
	}
	b := w.trained("popular", "itemitem")
	scored := func(what string, req upnext.Request, weights map[string]float64) {
		t.Helper()
		req.Explain, req.Explore = ExplainTrace, new(float64)
		s := w.asks(req)
		if len(s.Items) == 0 {
			t.Fatal("nothing is shown")
		}
		for _, p := range s.Items {
			sum := 0.0
			for name, w := range weights {
				sum += w * p.Features[name]
			}
			if want := 1 / (1 + math.Exp(-2*(sum-1))); math.Abs(p.Score-want) > 1e-9 {
				t.Errorf("%s: %s has %.4f by %v, want %.4f", what, p.Item, p.Score, p.Features, want)
			}
		}
	}
	w.rec.Swap(tenantT, b)
	scored("without weights", upnext.Request{Viewer: user("ann")}, w.rec.PageWeights())
	learned := map[string]float64{"popularity": 2, "learned": 0.5, "freshness": -0.25}
	weighing := *b
	weighing.Page = &bundle.PageWeights{Weights: learned}
	w.rec.Swap(tenantT, &weighing)
	scored("with weights", upnext.Request{Viewer: user("ann"), Count: 15}, learned)
	scored("her own candidates", upnext.Request{Viewer: user("ann"), Candidates: []upnext.ItemID{itemOf("space", 1).ID, itemOf("chess", 2).ID}}, learned)
	scored("whom the models do not know", upnext.Request{Viewer: user("nobody")}, w.rec.Settings.Blend["page"])
	scored("similar items", upnext.Request{Like: []upnext.ItemID{itemOf("space", 1).ID}}, w.rec.Settings.Blend["similar"])
	if fmt.Sprint(w.rec.PageWeights()) == fmt.Sprint(learned) {
		t.Error("the settings have changed")
	}
}
