package main

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"upnext/cmd/upnext/demo"
	"upnext/serve/api"
)

// TestNewItemDemo trains on the demo's events and puts an item that is like what
// some of its viewers took to: the models score it before its first view, and
// higher to these than to the others.
func TestNewItemDemo(t *testing.T) {
	server := launch(t, "demo", "--data-dir", t.TempDir())
	var run api.TrainingRun
	server.post("/v1/models/train", `{}`, &run)
	eventually(t, "the run has ended", func() string {
		server.get("/v1/models/runs/"+run.ID, &run)
		if run.State == "succeeded" || run.State == "failed" {
			return run.State
		}
		return ""
	})
	if run.State != "succeeded" {
		t.Fatalf("run %+v", run)
	}
	server.await("viewer-03", run.Bundle.Version)
	server.must(http.MethodPut, "/v1/items/new-beds", `{"kind":"video","title":"Planting tomatoes in a small garden bed",
		"description":"How to prepare the soil, sow seeds, and grow tomatoes and herbs in raised beds.","tags":["gardening"],"language":"en"}`, new(any))
	viewers, _, err := demo.Viewers(1, time.Now()) // who they are hangs on the seed alone
	if err != nil {
		t.Fatal(err)
	}
	told := func(user string) (learned float64, met, by bool) {
		var page struct {
			Items, Unshown []struct {
				ID       string
				Sources  []string
				Features map[string]float64
			}
		}
		server.post("/v1/recommend", `{"user_id":"`+user+`","count":100,"explain":"trace","record":false}`, &page)
		for _, it := range slices.Concat(page.Items, page.Unshown) {
			if it.ID == "new-beds" {
				return it.Features["learned"], true, slices.Contains(it.Sources, "learned")
			}
		}
		return 0, false, false
	}
	gardener := ""
	for _, v := range viewers {
		if v.Locale == "en" && slices.Contains(v.Topics, "gardening") {
			gardener = v.ID
			break
		}
	}
	eventually(t, "the models score the new item to "+gardener, func() string {
		if learned, _, by := told(gardener); learned > 0 && by {
			return "yes"
		}
		return ""
	})
	var sum, n [2]float64
	for _, v := range viewers {
		k := 0
		if slices.Contains(v.Topics, "gardening") {
			k = 1
		}
		if learned, met, _ := told(v.ID); met {
			sum[k], n[k] = sum[k]+learned, n[k]+1
		}
	}
	t.Logf("learned %.3f to %v gardeners, %.3f to %v others", sum[1]/n[1], n[1], sum[0]/n[0], n[0])
	if n[0] < 5 || n[1] < 3 || sum[1]/n[1] < 2*sum[0]/n[0] {
		t.Errorf("learned %v to %v gardeners, %v to %v others; want twice as much to the first", sum[1]/n[1], n[1], sum[0]/n[0], n[0])
	}
}
