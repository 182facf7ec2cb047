package sequence

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"upnext/learn"
)

// TestMeasure is protocol A (docs/results.md) for one model whose settings are
// JSON in UPNEXT_SASREC or UPNEXT_GRU; the data is looked for in UPNEXT_DATA. It
// goes on with what is kept in the file UPNEXT_RUN.
func TestMeasure(t *testing.T) {
	sasrec, gru := SASRec{}, GRU{}
	var f learn.Fitter
	kept := file(os.Getenv("UPNEXT_RUN"))
	switch {
	case os.Getenv("UPNEXT_SASREC") != "":
		if err := json.Unmarshal([]byte(os.Getenv("UPNEXT_SASREC")), &sasrec); err != nil {
			t.Fatal(err)
		}
		if sasrec.Checkpoint = nil; kept != "" {
			sasrec.Checkpoint = kept
		}
		f = sasrec
	case os.Getenv("UPNEXT_GRU") != "":
		if err := json.Unmarshal([]byte(os.Getenv("UPNEXT_GRU")), &gru); err != nil {
			t.Fatal(err)
		}
		if gru.Checkpoint = nil; kept != "" {
			gru.Checkpoint = kept
		}
		f = gru
	default:
		t.Skip("UPNEXT_SASREC and UPNEXT_GRU are unset")
	}
	log, tests := ml1m(t)
	at := time.Now()
	fitting, err := f.Fit(context.Background(), log, epochs(func(s learn.Step) {
		fmt.Printf("%s %s %d/%d loss %.4f validation %.4f, %v\n", f.Name(), s.Phase, s.Done, s.Total, s.Loss, s.Metric, time.Since(at).Round(time.Second))
	}))
	if err != nil {
		t.Fatal(err)
	}
	m := fitting.(*Model)
	if out := os.Getenv("UPNEXT_MODEL"); out != "" {
		w, err := os.Create(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(m.Artefact().Write(w), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for name, m := range map[string]*Model{"float32": m, "8 bits": m.Quantised()} {
		at := time.Now()
		hr, gain := judged(m, tests)
		fmt.Printf("TEST %s %s HR@10 %.4f NDCG@10 %.4f, %v\n", f.Name(), name, hr, gain, time.Since(at).Round(time.Millisecond))
	}
}

// judged answers HR@10 and NDCG@10 on the tests.
func judged(m *Model, tests []judge) (hr, gain float64) {
	scores, ranks := make([]float32, m.Items()), make([]int, len(tests))
	for i, j := range tests {
		m.Score(learn.History{Items: j.before}, scores)
		if ranks[i] = j.rank(scores, 1); ranks[i] < top {
			hr++
		}
	}
	return hr / float64(len(tests)), ndcg(ranks)
}

// ml1m reads the log without each viewer's last act, and those.
func ml1m(t testing.TB) (learn.Log, []judge) {
	t.Helper()
	f, err := os.Open(filepath.Join(os.Getenv("UPNEXT_DATA"), "ml-1m", "sequences_sas.txt.gz"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var log learn.Log
	var tests []judge
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, list, _ := strings.Cut(lines.Text(), "\t")
		var acts []int32
		for _, word := range strings.Fields(list) {
			n, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			log.Items = max(log.Items, n)
			acts = append(acts, int32(n-1))
		}
		last := len(acts) - 1
		log.Viewers = append(log.Viewers, learn.History{Items: acts[:last]})
		tests = append(tests, judge{before: acts[:last], last: acts[last]})
	}
	return log, tests
}

// file keeps a run in a file.
type file string

func (f file) Save(state []byte) error { return os.WriteFile(string(f), state, 0o600) }

func (f file) Load() ([]byte, error) {
	raw, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}
