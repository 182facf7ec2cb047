package zeroshot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"upnext/embed"
	"upnext/understand"
)

// ownPassages is how many lines of an item are embedded again: enough to tell
// its subject, at 1.5 ms each.
const ownPassages = 16

// own returns inputs with vectors of the Understander's encoder: those that
// another has made say nothing beside the labels', whatever their length. An
// item's passages are the lines of its Text.
func (u *Understander) own(ctx context.Context, inputs []understand.Input) ([]understand.Input, error) {
	mine := u.text.Model().ID
	out := make([]understand.Input, len(inputs))
	for i, in := range inputs {
		out[i] = in
		if in.Model == "" || in.Model == mine {
			continue
		}
		out[i].Vec, out[i].Passages, out[i].Model = nil, nil, mine
		var texts []embed.Input
		for line := range strings.Lines(in.Text) {
			if strings.TrimSpace(line) != "" && len(texts) < ownPassages {
				texts = append(texts, embed.Input{Text: strings.TrimSpace(line)})
			}
		}
		if len(texts) == 0 {
			continue
		}
		vectors, err := u.text.Embed(ctx, texts...)
		if partial := new(embed.PartialError); err != nil && !errors.As(err, &partial) {
			return nil, fmt.Errorf("understand item %s: %w", in.Item.ID, err)
		}
		for _, v := range vectors {
			if v != nil {
				out[i].Passages = append(out[i].Passages, v)
			}
		}
	}
	return out, nil
}
