package serve

import (
	"container/list"

	"upnext"
	"upnext/learn/bundle"
)

// readings keeps where viewers stand with the models that read act by act, of
// those who asked last, bounded in bytes: an event then costs such a model one
// step in place of the whole history. What is not kept is read again. The lock is
// its owner's.
type readings struct {
	most  int64
	of    map[viewerKey]*list.Element // of keptReading
	idle  *list.List                  // the latest used in front
	bytes int64
}

type keptReading struct {
	key     viewerKey
	reading *bundle.Reading
	bytes   int64
}

func newReadings(most int64) readings {
	return readings{most: most, of: map[viewerKey]*list.Element{}, idle: list.New()}
}

// take removes a viewer's reading and returns it: one request at a time may use
// it. Nil where there is none.
func (r *readings) take(key viewerKey) *bundle.Reading {
	e, ok := r.of[key]
	if !ok {
		return nil
	}
	kept := r.idle.Remove(e).(keptReading)
	delete(r.of, key)
	r.bytes -= kept.bytes
	return kept.reading
}

// give keeps a reading, and lets go of the idle ones that make it too much.
func (r *readings) give(key viewerKey, reading *bundle.Reading) {
	r.take(key)
	k := keptReading{key, reading, int64(reading.Bytes()) + 256}
	r.of[key] = r.idle.PushFront(k)
	r.bytes += k.bytes
	for r.bytes > r.most {
		r.take(r.idle.Back().Value.(keptReading).key)
	}
}

// readingOf is where a held viewer's reading lies between questions.
type readingOf struct {
	*viewers
	viewer *list.Element
}

func (p readingOf) Take() *bundle.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read.take(p.viewer.Value.(*held).key)
}

// Give keeps it unless the viewer was dropped meanwhile, or erased.
func (p readingOf) Give(r *bundle.Reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := p.viewer.Value.(*held).key; p.held[key] == p.viewer {
		p.read.give(key, r)
	}
}

// letGo drops what the models of a tenant have said and read: it would keep them
// in memory.
func (v *viewers) letGo(t upnext.Tenant) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.held {
		if key.tenant != t {
			continue
		}
		v.read.take(key)
	}
	for _, key := range v.answers.Keys() {
		if key.tenant == t {
			v.answers.Remove(key)
		}
	}
}
