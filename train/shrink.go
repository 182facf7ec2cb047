package train

import (
	"context"

	"upnext/learn"
	"upnext/learn/bundle"
	"upnext/learn/collab"
	"upnext/learn/sequence"
	"upnext/learn/split"
)

// bearable is the share of a model's NDCG@10 that storing it in 8 bits a number
// may cost.
const bearable = .01

// inBytes is a model as it is stored small; the model itself where there is no
// such form.
func inBytes(m learn.Model) learn.Model {
	if s, ok := m.(*sequence.Model); ok {
		return s.Quantised()
	}
	return collab.InBytes(m)
}

// shrink puts the small form in a part's place where the metric allows, and has
// the part tell both numbers.
func (f *fitted) shrink(ctx context.Context, cases []split.Case, tell Progress) error {
	small := inBytes(f.model)
	if small == f.model {
		return nil
	}
	metrics, err := measure(ctx, small, cases, func(s learn.Step) { tell(f.part.Name+" in 8 bits", s) })
	if err != nil {
		return err
	}
	if exact := f.part.Metrics; allows(exact, metrics) {
		f.model, f.part.Metrics, f.part.Exact = small, metrics, &exact
	}
	return nil
}

func allows(exact, small bundle.Metrics) bool {
	return small.NDCG10 >= (1-bearable)*exact.NDCG10
}
