package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"upnext"
	"upnext/cmd/upnext/demo"
	"upnext/embed"
	"upnext/infra/blob/dir"
)

// counted is an encoder that writes a byte to a file for each input before it
// encodes it, so that the count outlives a kill.
type counted struct {
	embed.Embedder
	file *os.File
}

// Embed counts and embeds.
func (c counted) Embed(ctx context.Context, inputs ...embed.Input) ([][]float32, error) {
	if _, err := c.file.Write(make([]byte, len(inputs))); err != nil {
		return nil, err
	}
	return c.Embedder.Embed(ctx, inputs...)
}

// importChild is a process that imports UPNEXT_TEST_CHILD with the settings of
// UPNEXT_TEST_SETTINGS and counts pictures in the file beside its data.
func importChild() int {
	s := &Settings{}
	if err := json.Unmarshal([]byte(os.Getenv("UPNEXT_TEST_SETTINGS")), s); err != nil {
		panic(err)
	}
	e, err := open(context.Background(), s, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err == nil {
		f, ferr := os.OpenFile(s.DataDir+".pictures", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if ferr != nil {
			panic(ferr)
		}
		e.pipeline.Image = counted{e.image, f}
		_, err = (&ingestCommand{Source: os.Getenv("UPNEXT_TEST_CHILD"), Format: "auto", OnMissing: "keep"}).inProcess(context.Background(), e, console{os.Stdout, os.Stderr})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestKilledImport kills an import with -9 at random moments and starts it
// again: in the end everything is there, and the encoder has repeated at most
// the batches that were under way. UPNEXT_SOAK_SOURCE and UPNEXT_SOAK_KILLS
// make it the long run of a real catalogue.
func TestKilledImport(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	killedImport(t, &Settings{DataDir: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", Seed: 1, SlateDays: 30})
}

func killedImport(t *testing.T, s *Settings) {
	kills, within := 4, 2*time.Second
	if os.Getenv("UPNEXT_SOAK_SOURCE") != "" {
		within = 4 * time.Second // twenty kills within the import of ml-1m
	}
	if n, err := strconv.Atoi(os.Getenv("UPNEXT_SOAK_KILLS")); err == nil {
		kills = n
	}
	settings, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	source := soakSource(t)
	child := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), os.Args[0])
		c.Env = append(os.Environ(), "UPNEXT_TEST_CHILD="+source, "UPNEXT_TEST_SETTINGS="+string(settings))
		c.Stderr = t.Output()
		return c
	}
	killed := 0
	for range kills {
		c := child()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Float64() * float64(within)))
		_ = c.Process.Kill()
		if err := c.Wait(); err != nil {
			killed++
		}
	}
	if out, err := child().Output(); err != nil {
		t.Fatalf("the run that was let finish: %v\n%s", err, out)
	}
	checkImported(t, s, killed)
}

// writeCatalogue writes the demo's catalogue to a folder.
func writeCatalogue(t *testing.T) string {
	folder := t.TempDir()
	store, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Write(t.Context(), store, "", time.Now(), func() {}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(folder, ".tmp")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func checkImported(t *testing.T, s *Settings, killed int) {
	e, err := open(t.Context(), s, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	_, active, err := e.indexes.Active(t.Context(), upnext.DefaultTenant)
	if err != nil {
		t.Fatal(err)
	}
	items, pictures := 0, 0
	for after := upnext.ItemID(""); ; {
		recs, err := e.store.Catalog.List(t.Context(), upnext.DefaultTenant, "", after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			after = r.Item.ID
			items++
			if r.Item.Thumbnail != "" {
				pictures++
			}
			if v, err := active.Vectors(t.Context(), r.Item.ID); err != nil || v[0] == nil {
				t.Errorf("%s is in the catalogue and not in the index (%v)", r.Item.ID, err)
			}
			if r.Understanding.At.IsZero() {
				t.Errorf("%s was not understood", r.Item.ID)
			}
		}
	}
	pending, err := e.store.Indexings.Pending(t.Context(), upnext.DefaultTenant, e.space.Name(), "", 10)
	if err != nil || len(pending) > 0 {
		t.Errorf("pending %v, %v, want none", pending, err)
	}
	st, err := os.Stat(s.DataDir + ".pictures")
	if err != nil {
		t.Fatal(err)
	}
	// A worker has one batch of 64 items under way.
	allowed := pictures + killed*64*(runtime.GOMAXPROCS(0)+1)
	t.Logf("%d items, %d with pictures; killed %d times; %d pictures encoded, %d allowed", items, pictures, killed, st.Size(), allowed)
	if items < 200 || st.Size() > int64(allowed) || st.Size() < int64(pictures) {
		t.Errorf("%d items, %d pictures encoded of %d, want all and at most %d", items, st.Size(), pictures, allowed)
	}
}
