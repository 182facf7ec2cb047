package rabitq

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// writerEnv makes this test binary the process that is killed.
const writerEnv = "UPNEXT_TEST_RABITQ_WRITER"

// TestKilledWriter kills a writing process at random moments: each time the
// collection opens with every acknowledged change, and of the others whole ones.
func TestKilledWriter(t *testing.T) {
	if dir := os.Getenv(writerEnv); dir != "" {
		writeForever(t, dir)
		return
	}
	dir := t.TempDir()
	if err := writeSpec(dir, testSpec); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	next := 0
	for round := range 12 {
		acknowledged := killedAfter(t, dir, next, 1+rng.IntN(60))
		c, err := openSmall(dir)
		if err != nil {
			t.Fatalf("round %d: open after a kill: %v", round, err)
		}
		checkWritten(t, c, acknowledged)
		next = acknowledged + 1 // what was cut short is done again
		if err := c.close(errClosed, round%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
}

// killedAfter runs a writer until it acknowledged some changes, kills it, and
// returns the last that it acknowledged.
func killedAfter(t *testing.T, dir string, from, changes int) int {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$", "-test.v")
	command.Env = append(os.Environ(), writerEnv+"="+dir, "UPNEXT_TEST_FROM="+strconv.Itoa(from))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	last, seen := from-1, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "done ")
		if !ok {
			continue
		}
		if last, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
		if seen++; seen == changes {
			if err := command.Process.Kill(); err != nil { // it is in the middle of the next ones
				t.Fatal(err)
			}
		}
	}
	if err := command.Wait(); err == nil || seen < changes {
		t.Fatalf("the writer ended by itself after %d changes: %v", seen, err)
	}
	return last
}

// Change n puts three entries with vector n, and removes one of change n-5.
func writeForever(t *testing.T, dir string) {
	from, err := strconv.Atoi(os.Getenv("UPNEXT_TEST_FROM"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCollection(dir, kernels()[0], small, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for n := from; ; n++ {
		if err := c.Upsert(context.Background(), entry(3*n, n), entry(3*n+1, n), entry(3*n+2, n)); err != nil {
			t.Fatal(err)
		}
		if n >= 5 {
			if err := c.Delete(context.Background(), entry(3*(n-5), 0).ID); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Println("done", n)
	}
}

// checkWritten looks for all of the acknowledged changes.
func checkWritten(t *testing.T, c *collection, acknowledged int) {
	t.Helper()
	last := -1
	for n := 0; ; n++ {
		got, err := c.Vectors(t.Context(), entry(3*n, n).ID, entry(3*n+1, n).ID, entry(3*n+2, n).ID)
		if err != nil {
			t.Fatal(err)
		}
		if got[1] == nil && got[2] == nil && got[0] == nil {
			break
		}
		last = n
		want := fmt.Sprint(entry(0, n).Vector)
		for i := 1; i <= 2; i++ {
			if fmt.Sprint(got[i]) != want {
				t.Fatalf("change %d: vector %d is %v, want %v", n, i, got[i], want)
			}
		}
		if n+5 <= acknowledged && got[0] != nil {
			t.Fatalf("change %d acknowledged the deletion of an entry of %d, which is there", n+5, n)
		}
	}
	if last < acknowledged {
		t.Fatalf("change %d was acknowledged, the last that is there is %d", acknowledged, last)
	}
}
