// Package zeroshot understands items without a trained classifier: their text
// vectors are compared with the vectors of phrases that describe each label,
// and their tags with the labels' names. It works over any text encoder; the
// labels are a data file, in English and Chinese.
package zeroshot

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"upnext"
	"upnext/embed"
	"upnext/understand"
)

// version changes with the labels and the calibration, so that Model does.
const version = "zeroshot-1"

// Understander finds topics, emotion, style and language. It leaves Safety
// empty: nearness to a phrase is no ground to call something harmful.
type Understander struct {
	text       embed.Embedder
	labels     facets
	background []string

	mu      sync.Mutex
	anchors *anchors // made when first needed
}

var _ understand.Understander = (*Understander)(nil)

// New makes an Understander over an encoder. The scales are fitted to the built-in
// one: items whose vectors another has made are embedded again. It does not call the encoder: the some 500 label phrases are encoded when the
// first item with words comes, in a quarter of a second with the built-in
// encoder, so that a start with nothing to do costs nothing.
func New(_ context.Context, text embed.Embedder) (*Understander, error) {
	labels, err := readLabels(labelsFile)
	if err != nil {
		return nil, err
	}
	return &Understander{text: text, labels: labels, background: readBackground(backgroundFile)}, nil
}

// Model implements understand.Understander.
func (u *Understander) Model() string { return version + "-" + u.text.Model().ID }

// Understand implements understand.Understander. The field At is left to the
// caller, so that equal inputs give equal answers.
func (u *Understander) Understand(ctx context.Context, inputs ...understand.Input) ([]upnext.Understanding, error) {
	inputs, err := u.own(ctx, inputs)
	if err != nil {
		return nil, err
	}
	out := make([]upnext.Understanding, len(inputs))
	for i, in := range inputs {
		var direction []float32
		var a *anchors
		if in.Vec != nil || len(in.Passages) > 0 {
			var err error
			if a, err = u.ready(ctx); err != nil {
				return nil, err
			}
			if direction, err = a.vector(in.Vec, in.Passages); err != nil {
				return nil, fmt.Errorf("understand item %s: %w", in.Item.ID, err)
			}
		}
		if a == nil {
			a = &anchors{}
		}
		tags, words := normalized(in.Item.Tags), length(in)
		out[i] = upnext.Understanding{
			Topics:   u.facet(u.labels.topics, a.topics, direction, tags, topicScale.of(words)),
			Emotion:  u.facet(u.labels.emotion, a.emotion, direction, tags, emotionScale.of(words)),
			Style:    u.style(in.Item, a.style, direction, tags, styleScale.of(words)),
			Language: u.language(in),
		}
	}
	return out, nil
}

// ready returns the anchors, made at the first call. An encoder that fails is
// asked again by the next call.
func (u *Understander) ready(ctx context.Context) (*anchors, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.anchors == nil {
		a, err := encode(ctx, u.text, u.labels, u.background)
		if err != nil {
			return nil, err
		}
		u.anchors = a
	}
	return u.anchors, nil
}

// scale turns the nearness of an item to a label (a cosine) into a confidence.
type scale struct {
	half  float64 // nearness at which half of the labels are right
	width float64 // how much more or less makes it e times as likely or unlikely
	least float64 // nearness below which a label is not named
	most  int     // labels named
}

// The scales of the built-in encoder. That of topics was fitted on one half of
// the TED talks' tags, between what it says of them and of the demo catalogue;
// the others on the demo catalogue's tags that name an emotion or a style.
var (
	topicScale   = scale{half: .22, width: .05, least: .15, most: 3}
	emotionScale = scale{half: .19, width: .05, least: .15, most: 2}
	styleScale   = scale{half: .19, width: .05, least: .15, most: 2}
)

// A title alone is near to some label by chance: the same nearness is right less
// often (of talks' titles at .24 half, of whole talks two thirds).
const (
	fewWords   = 12
	fewPenalty = .05
)

// of returns the scale for an item of so many words.
func (s scale) of(words float64) scale {
	if words < fewWords {
		s.half, s.least = s.half+fewPenalty, s.least+fewPenalty
	}
	return s
}

// byTag is the confidence in what a tag names: its owner says so, but tags are
// also used loosely.
const byTag = 0.95

func (s scale) confidence(nearness float64) float64 {
	c := 1 / (1 + math.Exp((s.half-nearness)/s.width))
	return math.Round(c*1000) / 1000 // no more than is known, and equal on every machine
}

// facet names the labels that a tag names, then those that are near enough.
func (u *Understander) facet(labels []label, anchors []anchor, direction []float32, tags []string, s scale) []upnext.Label {
	var found []upnext.Label
	for i, l := range labels {
		if tag := named(l, tags); tag != "" {
			found = append(found, upnext.Label{Value: l.id, Confidence: byTag, Evidence: "tag: " + tag, Model: u.Model()})
			continue
		}
		if direction == nil {
			continue
		}
		if near := dot(direction, anchors[i].direction); near >= s.least {
			found = append(found, upnext.Label{
				Value: l.id, Confidence: s.confidence(near), Model: u.Model(),
				Evidence: "text like: " + l.phrases[nearest(direction, anchors[i].phrases)],
			})
		}
	}
	slices.SortStableFunc(found, func(a, b upnext.Label) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return found[:min(len(found), s.most)]
}

// style is a facet of which an item's kind may be evidence, too.
func (u *Understander) style(item upnext.Item, anchors []anchor, direction []float32, tags []string, s scale) []upnext.Label {
	found := u.facet(u.labels.style, anchors, direction, tags, s)
	if item.Kind != "ad" {
		return found
	}
	found = slices.DeleteFunc(found, func(l upnext.Label) bool { return l.Value == "advert" })
	advert := upnext.Label{Value: "advert", Confidence: 1, Evidence: "kind: ad", Model: u.Model()}
	return append([]upnext.Label{advert}, found[:min(len(found), s.most-1)]...)
}

// normalized puts tags into the form of the labels' names.
func normalized(tags []string) []string {
	out := make([]string, len(tags))
	for i, t := range tags {
		out[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(t), "#")))
	}
	return out
}

// named returns the tag that names the label, or nothing.
func named(l label, tags []string) string {
	for _, t := range tags {
		if slices.Contains(l.names, t) {
			return t
		}
	}
	return ""
}

// nearest returns which of the vectors is nearest to the direction.
func nearest(direction []float32, vectors [][]float32) int {
	best := 0
	for i, v := range vectors {
		if dot(direction, v) > dot(direction, vectors[best]) {
			best = i
		}
	}
	return best
}
