package openai_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"upnext/embed"
	"upnext/embed/embedtest"
	"upnext/embed/endpoint"
	"upnext/embed/openai"
)

// pictures is a test server written from infinity's and vLLM's published schemas:
// it takes what they take, refuses the rest in their way, and makes a vector of
// the picture's mean colour and size.
func pictures(t *testing.T, form openai.Form) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Model, Modality string
			Input           []string
			Messages        []struct {
				Role    string
				Content []struct {
					Type, Text string
					Image      struct{ URL string } `json:"image_url"`
				}
			}
		}
		body, _ := io.ReadAll(r.Body)
		uris := []string{}
		err := json.Unmarshal(body, &req)
		switch {
		case err != nil || r.URL.Path != "/v1/embeddings" || r.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "not ours", http.StatusNotFound)
			return
		case form == openai.Infinity && req.Modality == "image" && len(req.Messages) == 0:
			uris = req.Input
		case form == openai.VLLM && len(req.Messages) == 1 && len(req.Input) == 0 && req.Messages[0].Role == "user" &&
			len(req.Messages[0].Content) == 2 && req.Messages[0].Content[1].Text == "What is shown in this image?":
			uris = append(uris, req.Messages[0].Content[0].Image.URL)
		}
		var rows []string
		for i, uri := range uris {
			_, data, _ := strings.Cut(uri, ";base64,")
			raw, _ := base64.StdEncoding.DecodeString(data)
			im, _, err := image.Decode(bytes.NewReader(raw))
			if err != nil {
				http.Error(w, "Failed to load image: "+err.Error(), http.StatusBadRequest)
				return
			}
			rows = append(rows, fmt.Sprintf(`{"index":%d,"embedding":[%s]}`, i, colours(im)))
		}
		if len(rows) == 0 {
			http.Error(w, "nothing to embed", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(rows, ","))
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

func colours(im image.Image) string {
	var r, g, b float64
	size := im.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			cr, cg, cb, _ := im.At(x, y).RGBA()
			r, g, b = r+float64(cr), g+float64(cg), b+float64(cb)
		}
	}
	n := float64(size.X*size.Y) * 65535
	return fmt.Sprintf("%f,%f,%f,%f", r/n, g/n, b/n, .1+float64(size.X%100)/100)
}

func TestPictureForms(t *testing.T) {
	for _, form := range []openai.Form{openai.Infinity, openai.VLLM} {
		t.Run(string(form), func(t *testing.T) {
			embedtest.Test(t, embed.Image, func(t *testing.T) embed.Embedder {
				engine, err := openai.New(openai.Config{Form: form, Model: "MrLight/dse-qwen2-2b-mrl-v1", Key: "secret"})
				if err != nil {
					t.Fatal(err)
				}
				batch := 8
				if form == openai.VLLM {
					batch = 1
				}
				c, err := endpoint.Open(t.Context(), endpoint.Config{
					Engine: engine, Endpoints: []string{pictures(t, form)}, Reads: embed.Image, Name: "dse", MaxBatch: batch,
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			})
		})
	}
}
