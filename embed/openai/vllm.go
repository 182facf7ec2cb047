package openai

import "strings"

// message is a chat message, in which vLLM takes a picture.
type message struct {
	Role    string `json:"role"`
	Content []part `json:"content"`
}

type part struct {
	Type  string   `json:"type"`
	Image *address `json:"image_url,omitempty"`
	Text  string   `json:"text,omitempty"`
}

type address struct {
	URL string `json:"url"`
}

func picture(data []byte, prompt string) message {
	return message{Role: "user", Content: []part{{Type: "image_url", Image: &address{dataURI(data)}}, {Type: "text", Text: prompt}}}
}

// prompt is the text that stands beside a picture: models that were taught with
// one give poor vectors without it. Qwen's family wants the picture's place
// marked, too.
func (e *Engine) prompt() string {
	if e.Prompt != "" {
		return e.Prompt
	}
	const place = "<|vision_start|><|image_pad|><|vision_end|>"
	name := strings.ToLower(e.Model)
	for _, known := range []struct{ part, prompt string }{
		{"qwen3-vl", place + "Represent the user's input."},
		{"dse-qwen2", "What is shown in this image?"},
		{"jina-embeddings-v4", place + "Describe the image."},
		{"vlm2vec", "Represent the given image."},
	} {
		if strings.Contains(name, known.part) {
			return known.prompt
		}
	}
	return "Represent the given image."
}
