package ingest_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/index/rabitq"
	"upnext/ingest"
)

// killedDir tells the test's own program to be the process that is killed.
const killedDir = "UPNEXT_TEST_KILLED_DIR"

// TestKilledChild imports dir/source into dir, or goes on with it. It says on
// its standard output what it gives to the encoder, a line an input.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("runs as the child of TestKilledImportGoesOn")
	}
	w := killedWorld(t, dir)
	w.text.each = func(in embed.Input) { fmt.Println("encoded " + in.Text) }
	if err := w.Sweep(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	im := w.importer(t)
	list, err := w.store.Imports.ListImports(t.Context(), tenant, 1)
	if err != nil {
		t.Fatal(err)
	}
	var imp upnext.Import
	if len(list) == 0 {
		imp, err = im.Start(t.Context(), tenant, ingest.ImportRequest{Source: filepath.Join(dir, "source"), OnMissing: upnext.DeleteMissing})
	} else {
		imp = list[0]
	}
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("working")
	if _, err := im.Wait(t.Context(), tenant, imp.ID); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ended")
}

func killedWorld(t *testing.T, dir string) *world {
	collections, err := rabitq.Open(filepath.Join(dir, "index"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := collections.Close(); err != nil {
			t.Error(err)
		}
	})
	return openWorld(t, dir, collections)
}

// TestKilledImportGoesOn kills an import with -9 at random moments until it
// has ended all the same: nothing is lost, and the encoder repeats at most the
// batches that were in flight.
func TestKilledImportGoesOn(t *testing.T) {
	const items, kills, workers, batch = 700, 8, 2, 64
	dir := t.TempDir()
	files := map[string]string{}
	for i := range items {
		files[fmt.Sprintf("source/%03d/item.json", i)] = fmt.Sprintf(`{"id":"i%03d","kind":"video","title":"title t%03d"}`, i, i)
	}
	write(t, dir, files)
	random := rand.New(rand.NewPCG(1, 2))
	encoded := map[string]int{}
	total, killed, ended := 0, 0, false
	for run := 0; !ended; run++ {
		if run > 3*kills {
			t.Fatalf("not ended after %d starts", run)
		}
		// The first moments of a start are as good for a kill as the middle of its work.
		after := random.IntN(2 * items / kills)
		if killed == kills {
			after = -1
		}
		lines, done := runChild(t, dir, after)
		for _, l := range lines {
			if title, ok := strings.CutPrefix(l, "encoded "); ok {
				encoded[title]++
				total++
			}
		}
		if ended = done; !done {
			killed++
		}
	}
	t.Logf("%d items, %d kills, %d encoder inputs", items, killed, total)
	if killed < kills/2 {
		t.Errorf("killed %d times, want at least %d: the import ends too soon to say anything", killed, kills/2)
	}
	if len(encoded) != items || total > items+killed*workers*batch {
		t.Errorf("%d items encoded by %d calls, want %d by at most %d", len(encoded), total, items, items+killed*workers*batch)
	}
	checkKilled(t, dir, items)
}

// runChild starts the child and kills it after so many encoder inputs (-1:
// never). It returns what it said, and whether it came to its end.
func runChild(t *testing.T, dir string, after int) (lines []string, ended bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestKilledChild$", "-test.v")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	n := 0
	for said.Scan() {
		lines = append(lines, said.Text())
		ended = ended || said.Text() == "ended"
		if n++; after >= 0 && n > after && !ended {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			after = -1
		}
	}
	if err := cmd.Wait(); err != nil && ended {
		t.Errorf("the child ended and failed: %v\n%s", err, strings.Join(lines[max(0, len(lines)-20):], "\n"))
	} else if err == nil && !ended {
		t.Fatalf("the child came to nothing:\n%s", strings.Join(lines, "\n"))
	}
	return lines, ended
}

// checkKilled opens what the children left and checks that all is there.
func checkKilled(t *testing.T, dir string, items int) {
	w := killedWorld(t, dir)
	list, err := w.store.Imports.ListImports(t.Context(), tenant, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("imports: %+v, %v, want one", list, err)
	}
	imp := list[0]
	if got := imp.Created + imp.Updated + imp.Unchanged; imp.State != upnext.Succeeded || imp.Total != int64(items) || got != int64(items) || imp.Failed != 0 {
		t.Errorf("import: %+v, want all of %d items counted once", imp, items)
	}
	for i := range items {
		id := upnext.ItemID(fmt.Sprintf("i%03d", i))
		if got := w.found(t, fmt.Sprintf("title t%03d", i), 1); len(got) != 1 || got[0] != id {
			t.Errorf("search for the title of %s finds %v", id, got)
		}
	}
	pending, err := w.Indexings.Pending(t.Context(), tenant, w.Space.Name(), "", 10)
	if err != nil || len(pending) != 0 {
		t.Errorf("pending: %v, %v", pending, err)
	}
}
