package train_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/train"
)

// show records answers of ten items, and what their viewers did with them: they take to
// an item with odds of exp(z) by its features. Of every third answer no impression
// is told.
func (w *world) show(slates int, models string, z func(features map[string]float64) float64) {
	w.t.Helper()
	rng := rand.New(rand.NewPCG(5, uint64(slates)))
	var events []upnext.Event
	var acts []upnext.Attribution
	for s := range slates {
		at := noon.Add(time.Duration(s) * time.Second)
		slate := upnext.Slate{
			ID:     upnext.SlateID("rec_" + ulid.MustNew(uint64(at.UnixMilli()), rand.NewChaCha8([32]byte{byte(s), byte(s >> 8)})).String()),
			Viewer: upnext.ViewerID{ID: fmt.Sprint("v", s%60)}, Scenario: "home", At: at, Versions: map[string]string{"models": models},
		}
		for rank := 1; rank <= 10; rank++ {
			f := map[string]float64{"taste": rng.Float64(), "popularity": rng.Float64(), "learned": rng.Float64()}
			item := upnext.ItemID(fmt.Sprintf("%c%02d", "ab"[s%2], rank))
			slate.Items = append(slate.Items, upnext.Placed{Item: item, Rank: rank, Features: f, Propensity: 1})
			kind := upnext.Impression
			if rng.Float64() < 1/(1+math.Exp(-z(f))) {
				kind = upnext.Like
			} else if s%3 == 0 {
				continue
			}
			events = append(events, upnext.Event{ID: upnext.EventID(fmt.Sprint("shown", s, "-", rank)), Kind: kind, Viewer: slate.Viewer, Item: item, At: at, ReceivedAt: at})
			acts = append(acts, upnext.Attribution{Viewer: slate.Viewer, By: upnext.ByToken, Slate: slate.ID, Item: item, ShownAt: at, Rank: rank, Act: kind})
		}
		if err := w.store.Slates.Record(w.t.Context(), home, slate); err != nil {
			w.t.Fatal(err)
		}
	}
	appended, err := w.store.Events.Append(w.t.Context(), home, events...)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range acts {
		acts[i].Seq = appended[i].Seq
	}
	after, err := w.store.Measures().Followed(w.t.Context(), home)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Measures().Attribute(w.t.Context(), home, after, appended[len(appended)-1].Seq, acts...); err != nil {
		w.t.Fatal(err)
	}
}

// TestPageWeights: where viewers take to what is popular, and the settings think that
// they go by their taste, the bundle says so; where they do as the settings say, where
// they do as they please, or where too little is known, it says nothing.
func TestPageWeights(t *testing.T) {
	settings := map[string]float64{"taste": 1, "popularity": 0.2, "learned": 1}
	likes := func(taste, popularity float64) func(map[string]float64) float64 {
		return func(f map[string]float64) float64 {
			return taste*f["taste"] + popularity*f["popularity"] + f["learned"] - 4
		}
	}
	for _, tt := range []struct {
		name   string
		slates int
		models string
		likes  func(map[string]float64) float64
		learns bool
	}{
		{"popular", 900, "m1", likes(0.2, 4), true},
		{"as the settings say", 900, "m1", func(f map[string]float64) float64 { return 2*f["taste"] + 0.4*f["popularity"] + 2*f["learned"] - 4 }, false},
		{"as they please", 900, "m1", func(map[string]float64) float64 { return -1.5 }, false},
		{"too few", 60, "m1", likes(0.2, 4), false},
		{"without models", 900, "", likes(0.2, 4), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.append(twoWorlds(60)...)
			w.Trainer.Features = []string{"taste", "popularity", "learned", "words"}
			w.Trainer.Shown = train.Shown{Slates: w.store.Slates, Measures: w.store.Measures(), Weights: settings}
			w.show(tt.slates, tt.models, tt.likes)
			w.start()
			asked, err := w.Start(t.Context(), home, []string{"popular", "itemitem"})
			if err != nil {
				t.Fatal(err)
			}
			run := w.wait(asked.ID)
			if run.State != train.Succeeded || run.Bundle == nil {
				t.Fatalf("run: %+v", run)
			}
			p := run.Bundle.Page
			if !tt.learns {
				if p != nil {
					t.Errorf("learned %+v", p)
				}
				return
			}
			if p == nil {
				t.Fatal("nothing is learned")
			}
			if p.Weights["popularity"] < 1.5 || p.Weights["taste"] > 0.5 || math.Abs(p.Weights["learned"]-0.5) > 0.3 || p.Concordance <= p.Before || p.Slates < 500 || p.Taken < 300 {
				t.Errorf("learned %+v, want popularity 2, taste 0.1, learned 0.5", p)
			}
			stored, err := w.Trainer.Registry.Open(t.Context(), home, run.Bundle.Version)
			if err != nil {
				t.Fatal(err)
			}
			if again := stored.Page; again == nil || again.Weights["popularity"] != p.Weights["popularity"] {
				t.Errorf("the bundle has %+v", again)
			}
		})
	}
}
