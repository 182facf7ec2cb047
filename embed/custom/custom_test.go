package custom_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"upnext"
	"upnext/embed"
	"upnext/embed/custom"
)

func TestTemplate(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Texts []string }
		if json.NewDecoder(r.Body).Decode(&req) != nil || len(req.Texts) != 2 || req.Texts[1] != "a \"b\"\n" || r.Header.Get("X-Key") != "k" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		w.Write([]byte(`{"out":[{"v":[1,2]},{"v":[3,4]}]}`))
	}))
	defer srv.Close()
	t.Setenv("CUSTOM_KEY", "k")
	file := filepath.Join(t.TempDir(), "c.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("model: m\nendpoints: [" + srv.URL + "]\nheaders: {X-Key: \"${CUSTOM_KEY}\"}\nbatch: 2\nvectors: out.*.v\n" +
		"request: '{\"texts\":[{{range $i, $in := .Inputs}}{{if $i}},{{end}}{{json $in.Text}}{{end}}]}'\n")
	form, err := custom.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := custom.New(form, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Call(t.Context(), srv.URL, []embed.Input{{Text: "x"}, {Text: "a \"b\"\n"}})
	if err != nil || len(got.Vectors) != 2 || got.Vectors[1][0] != 3 {
		t.Errorf("got %v, %v; want two vectors", got.Vectors, err)
	}
	write("model: m\nrequets: typo\n")
	if _, err := custom.Read(file); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a field misspelt: got %v, want ErrInvalid", err)
	}
	for _, bad := range []custom.Form{{}, {Model: "m", Request: "{{", Vectors: "v"}, {Model: "m", Request: "{}"}} {
		if _, err := custom.New(bad, nil); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", bad, err)
		}
	}
}
