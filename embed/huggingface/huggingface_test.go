package huggingface_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/embedtest"
	"upnext/embed/endpoint"
	"upnext/embed/huggingface"
)

// tei is a test server written from TEI's published schema: at most 4 inputs a
// request, none longer than 2,000 bytes, a key wanted.
func tei(t *testing.T, batches *atomic.Int64) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fail := func(code int, kind, words string) {
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"error":%q,"error_type":%q}`, words, kind)
		}
		var req struct{ Inputs []string }
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			fail(http.StatusUnauthorized, "unauthorized", "token wanted")
			return
		case r.Method == http.MethodGet && r.URL.Path == "/info":
			io.WriteString(w, `{"model_id":"intfloat/multilingual-e5-small","max_client_batch_size":4,"max_input_length":512}`)
			return
		case r.Method != http.MethodPost || r.URL.Path != "/embed" || json.Unmarshal(body, &req) != nil:
			fail(http.StatusNotFound, "not_found", "no route")
			return
		case len(req.Inputs) > 4:
			fail(http.StatusRequestEntityTooLarge, "Validation", "batch size > maximum allowed batch size 4")
			return
		}
		batches.Add(1)
		var vectors [][]float32
		for _, text := range req.Inputs {
			if len(text) > 2000 {
				fail(http.StatusRequestEntityTooLarge, "Validation", "`inputs` must have less than 512 tokens")
				return
			}
			h := fnv.New64a()
			io.WriteString(h, text)
			v := make([]float32, 16)
			for i, x := 0, h.Sum64(); i < 16; i, x = i+1, x*6364136223846793005+1442695040888963407 {
				v[i] = float32(int64(x)) / (1 << 62)
			}
			vectors = append(vectors, v)
		}
		json.NewEncoder(w).Encode(vectors)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestTEI(t *testing.T) {
	embedtest.Test(t, embed.Text, func(t *testing.T) embed.Embedder {
		var batches atomic.Int64
		c, err := endpoint.Open(t.Context(), endpoint.Config{Engine: huggingface.TEI("secret", nil), Endpoints: []string{tei(t, &batches) + "/"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if got, want := c.Model(), (embed.Model{ID: "intfloat-multilingual-e5-small", Dim: 16}); got != want {
			t.Errorf("got model %v, want %v", got, want)
		}
		return c
	})
}

func TestWrongKey(t *testing.T) {
	var batches atomic.Int64
	address := tei(t, &batches)
	_, err := endpoint.Open(t.Context(), endpoint.Config{Engine: huggingface.TEI("wrong", nil), Endpoints: []string{address}})
	if !errors.Is(err, upnext.ErrUnavailable) || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "token wanted") ||
		!strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v, want the address, 401 and the server's words, and no key", err)
	}
}
