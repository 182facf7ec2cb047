package serve

import (
	"upnext"
	"upnext/learn/bundle"
	"upnext/serve/learned"
	"upnext/serve/taste"
)

// answered is what models were asked about a viewer's state.
type answered struct {
	by     *bundle.Bundle
	about  *taste.State
	asking *learned.Asking
}

// answersKept is how many of them are kept for the pages that follow: what the
// models say of a large catalogue takes as much memory as many viewers.
const answersKept = 64

// ask puts a request's question to the models. While neither the state nor the
// bundle is another one, requests that follow soon share the answer; after an
// event, models that read act by act go on from where the viewer stood.
func (v *viewers) ask(tn *tenant, id upnext.ViewerID, b *bundle.Bundle, state *taste.State) *learned.Asking {
	key := viewerKey{tn.name, id}
	if a, ok := v.answers.Get(key); ok && a.by == b && a.about == state {
		return a.asking
	}
	v.mu.Lock()
	e, ok := v.held[key]
	v.mu.Unlock()
	if !ok {
		return learned.Ask(b, tn.numbersOf(b), state, nil)
	}
	a := answered{b, state, learned.Ask(b, tn.numbersOf(b), state, readingOf{v, e})}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held[key] == e { // else they were dropped meanwhile, or erased
		v.answers.Add(key, a)
	}
	return a.asking
}
