package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"upnext/serve/api"
)

// traced is what a page says of where it comes from.
type traced struct {
	answer
	Versions map[string]string
}

func (s *started) traced(user string) (a traced) {
	s.t.Helper()
	s.post("/v1/recommend", `{"user_id":"`+user+`","count":20,"explain":"trace"}`, &a)
	return a
}

// await asks until the page is answered by a version.
func (s *started) await(user, version string) {
	s.t.Helper()
	eventually(s.t, "answers by "+version, func() string {
		if s.traced(user).Versions["models"] == version {
			return "yes"
		}
		return ""
	})
}

// TestTrainDemo trains on the demo's own events while it runs: the swap is seen
// in its answers, a rollback too, a damaged bundle changes nothing, and a start
// after kill -9 answers by the models at once.
func TestTrainDemo(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "demo")
	server := spawn(t, "demo", "--data-dir", home)
	server.waitReady()
	liked := server.page("someone").ids()[0]
	server.event("e1", "someone", "like", `,"item_id":"`+liked+`"`)
	if v := server.traced("someone").Versions["models"]; v != "" {
		t.Fatalf("answers by models %s before any were trained", v)
	}
	var versions []string
	for range 2 {
		out, log, err := upnextRun(t, "train", "--data-dir", dir, "--models", "ease,ridge,popular", "--json")
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		var run api.TrainingRun
		if err := json.Unmarshal([]byte(out), &run); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if run.State != "succeeded" || run.Bundle.Viewers < 40 || run.Bundle.HR10 <= 0 {
			t.Fatalf("run %+v with %+v", run, run.Bundle)
		}
		versions = append(versions, run.Bundle.Version)
		server.await("someone", run.Bundle.Version)
	}
	sources := map[string]bool{}
	for _, it := range server.traced("someone").Items {
		for _, r := range it.Reasons {
			sources[r.Code] = true
		}
	}
	if !sources["viewers_like_you"] {
		t.Errorf("no item is there because of the models: %v", sources)
	}
	out, _, err := upnextRun(t, "models", "rollback", "--data-dir", dir)
	if err != nil || !strings.Contains(out, "in use") {
		t.Fatalf("roll back: %v\n%s", err, out)
	}
	server.await("someone", versions[0])
	if _, _, err := upnextRun(t, "models", "rollback", "--data-dir", dir); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("roll back beyond the first: %v", err)
	}
	damage(t, filepath.Join(dir, "objects", "models", "default", "bundles", versions[1]+".zip"))
	if _, _, err := upnextRun(t, "models", "promote", versions[1], "--data-dir", dir); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("promote a damaged one: %v", err)
	}
	if v := server.traced("someone").Versions["models"]; v != versions[0] {
		t.Errorf("answers by %q, want %s as before", v, versions[0])
	}
	server.kill()
	again := spawn(t, "demo", "--data-dir", home)
	again.waitReady()
	again.await("someone", versions[0])
}

func damage(t *testing.T, name string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, raw[:len(raw)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTrainKilled kills a server in the middle of a training: the next one
// takes it up.
func TestTrainKilled(t *testing.T) {
	dir := t.TempDir()
	server := spawn(t, "demo", "--data-dir", dir)
	server.waitReady()
	var run api.TrainingRun
	server.post("/v1/models/train", `{"models":["gru","ridge"]}`, &run)
	eventually(t, "an epoch is over", func() string {
		server.get("/v1/models/runs/"+run.ID, &run)
		if slices.ContainsFunc(run.Curves, func(c api.Curve) bool { return c.Model == "gru" }) {
			return "yes"
		}
		return ""
	})
	server.kill()
	again := spawn(t, "demo", "--data-dir", dir)
	eventually(t, "the run has ended", func() string {
		again.get("/v1/models/runs/"+run.ID, &run)
		if run.State == "succeeded" || run.State == "failed" {
			return run.State
		}
		return ""
	})
	if run.State != "succeeded" || !slices.Equal(run.Models, []string{"gru", "ridge"}) {
		t.Errorf("run %+v, want it succeeded", run)
	}
}
