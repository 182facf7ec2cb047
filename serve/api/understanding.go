package api

import (
	"context"
	"fmt"
	"strings"

	"upnext"
)

type labelBody struct {
	Value      string  `json:"value"`
	Confidence float64 `json:"confidence" doc:"0 to 1; a person's is 1."`
	Evidence   string  `json:"evidence,omitempty"`
	Model      string  `json:"model,omitempty" doc:"Who believes it: a model, or person."`
}

type understandingBody struct {
	ItemID   string      `json:"item_id"`
	Topics   []labelBody `json:"topics"`
	Emotion  []labelBody `json:"emotion"`
	Style    []labelBody `json:"style"`
	Language []labelBody `json:"language"`
	Safety   []labelBody `json:"safety"`
}

type understandingOutput struct{ Body understandingBody }

func (a *api) getUnderstanding(ctx context.Context, in *ItemPath) (*understandingOutput, error) {
	rec, err := a.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &understandingOutput{bodyOfUnderstanding(in.ID, rec.Understanding)}, nil
}

// patchUnderstanding lays a person's word over the model's, facet by facet.
func (a *api) patchUnderstanding(ctx context.Context, in *struct {
	ItemPath
	Body struct {
		Topics   *[]string `json:"topics,omitempty" maxItems:"50" doc:"The labels that hold, best first; an empty list says that none does."`
		Emotion  *[]string `json:"emotion,omitempty" maxItems:"50"`
		Style    *[]string `json:"style,omitempty" maxItems:"50"`
		Language *[]string `json:"language,omitempty" maxItems:"50"`
		Safety   *[]string `json:"safety,omitempty" maxItems:"50"`
	} `contentType:"application/merge-patch+json"`
}) (*understandingOutput, error) {
	var said upnext.Understanding
	for _, f := range []struct {
		name string
		from *[]string
		to   *[]upnext.Label
	}{
		{"topics", in.Body.Topics, &said.Topics}, {"emotion", in.Body.Emotion, &said.Emotion}, {"style", in.Body.Style, &said.Style},
		{"language", in.Body.Language, &said.Language}, {"safety", in.Body.Safety, &said.Safety},
	} {
		if f.from == nil {
			continue
		}
		*f.to = []upnext.Label{}
		for i, v := range *f.from {
			if v = strings.TrimSpace(v); v == "" || len(v) > upnext.MaxID {
				return nil, upnext.Invalid(fmt.Sprintf("%s/%d", f.name, i), "empty, or longer than %d bytes", upnext.MaxID)
			}
			*f.to = append(*f.to, upnext.Label{Value: v, Confidence: 1, Model: upnext.ByPerson})
		}
	}
	t := callerOf(ctx).tenant
	now, err := a.Understandings.Correct(ctx, t, upnext.ItemID(in.ID), said)
	if err != nil {
		return nil, err
	}
	if err := a.Writer.Refresh(ctx, t, upnext.ItemID(in.ID)); err != nil {
		return nil, err
	}
	if err := a.Recommender.Refresh(ctx, t); err != nil {
		return nil, err
	}
	return &understandingOutput{bodyOfUnderstanding(in.ID, now)}, nil
}

func bodyOfUnderstanding(id string, u upnext.Understanding) understandingBody {
	return understandingBody{id, labels(u.Topics), labels(u.Emotion), labels(u.Style), labels(u.Language), labels(u.Safety)}
}

func labels(all []upnext.Label) []labelBody {
	bodies := make([]labelBody, len(all))
	for i, l := range all {
		bodies[i] = labelBody(l)
	}
	return bodies
}
