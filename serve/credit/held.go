package credit

import (
	"container/list"
	"sync"

	"upnext"
)

// Held are the latest answers in memory, so that the process that gave them
// need not read them again. The oldest go where they take too many bytes.
type Held struct {
	most int64

	mu    sync.Mutex
	bytes int64
	order *list.List // of *held, oldest first
	by    map[heldKey]*list.Element
}

type heldKey struct {
	tenant upnext.Tenant
	slate  upnext.SlateID
}

type held struct {
	key   heldKey
	shown upnext.Showing
	bytes int64
}

// NewHeld returns an empty one of that many bytes.
func NewHeld(most int64) *Held {
	return &Held{most: most, order: list.New(), by: map[heldKey]*list.Element{}}
}

// Add holds a showing, in place of an older one of the same slate.
func (h *Held) Add(t upnext.Tenant, s upnext.Showing) {
	size := int64(160 + len(s.Slate) + len(s.Viewer.ID) + len(s.Scenario) + len(s.Variant))
	for _, it := range s.Items {
		size += int64(72 + len(it.Item) + 16*len(it.Sources)) // sources' names are shared
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := heldKey{t, s.Slate}
	if old := h.by[key]; old != nil {
		h.drop(old)
	}
	h.by[key] = h.order.PushBack(&held{key, s, size})
	h.bytes += size
	for h.bytes > h.most {
		h.drop(h.order.Front())
	}
}

// Forget drops what was shown to a viewer.
func (h *Held) Forget(t upnext.Tenant, viewer upnext.ViewerID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var next *list.Element
	for e := h.order.Front(); e != nil; e = next {
		next = e.Next()
		if one := e.Value.(*held); one.key.tenant == t && one.shown.Viewer == viewer {
			h.drop(e)
		}
	}
}

func (h *Held) get(t upnext.Tenant, id upnext.SlateID) *upnext.Showing {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.by[heldKey{t, id}]; e != nil {
		return &e.Value.(*held).shown
	}
	return nil
}

func (h *Held) drop(e *list.Element) {
	one := h.order.Remove(e).(*held)
	delete(h.by, one.key)
	h.bytes -= one.bytes
}
