package archive

import (
	"context"
	"fmt"
	"strings"

	"upnext"
)

// drop is a wish that rows of a viewer be taken out of the files. It is an
// object of its own until it is fulfilled, so that a crash does not lose it.
type drop struct {
	Viewer string `json:"viewer"` // the pseudonym
	Events span   `json:"events"`
	Slates span   `json:"slates"`
}

// span is the Seqs from First to Last.
type span struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

func (s span) has(seq int64) bool { return s.First <= seq && seq <= s.Last }

func dropFolder(t upnext.Tenant) string { return root(t) + "_state/drop/" }

// key names a drop by what it asks for: the same wish twice is one.
func (d drop) key(t upnext.Tenant) string {
	return fmt.Sprintf("%s%s-%d-%d-%d-%d.json", dropFolder(t), d.Viewer, d.Events.First, d.Events.Last, d.Slates.First, d.Slates.Last)
}

// Forget asks that a viewer's rows be taken out of the archive. It is called
// after they were erased from the database, returns once the wish is safe, and
// is fulfilled by the next round of Run. What the viewer does from then on is
// archived again.
func (a *Archive) Forget(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) error {
	log, err := a.Retention.Log(ctx, t)
	if err == nil {
		d := drop{a.pseudonyms(t).viewer(viewer), span{1, log.Events}, span{1, log.Slates}}
		err = a.encode(ctx, d.key(t), d)
	}
	return wrap(fmt.Sprintf("forget %s in the archive", viewer), t, err)
}

// Retract asks the same for one event, as upnext.Events.Retract returned it.
func (a *Archive) Retract(ctx context.Context, t upnext.Tenant, e upnext.Event) error {
	d := drop{Viewer: a.pseudonyms(t).viewer(e.Viewer), Events: span{e.Seq, e.Seq}}
	return wrap(fmt.Sprintf("retract event %s in the archive", e.ID), t, a.encode(ctx, d.key(t), d))
}

// Erase is Forget, and returns only when no row of the viewer is left. Beside
// an error it will be finished by the next round.
func (a *Archive) Erase(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) error {
	if err := a.Forget(ctx, t, viewer); err != nil {
		return err
	}
	unlock, err := a.lock(ctx, t)
	if err == nil {
		defer unlock()
		_, err = a.dropForgotten(ctx, t)
	}
	return wrap(fmt.Sprintf("erase %s from the archive", viewer), t, err)
}

// dropsAtOnce is how many wishes one pass over the files fulfils.
const dropsAtOnce = 1_000

// dropForgotten fulfils the wishes and returns how many rows that took out.
func (a *Archive) dropForgotten(ctx context.Context, t upnext.Tenant) (total int, err error) {
	for {
		var drops []drop
		for info, err := range a.Blobs.List(ctx, dropFolder(t), "") {
			if err != nil {
				return total, err
			}
			d, err := decode[drop](ctx, a.Blobs, info.Key)
			if err != nil {
				return total, err
			}
			if drops = append(drops, d); len(drops) == dropsAtOnce {
				break
			}
		}
		if len(drops) == 0 {
			return total, nil
		}
		for _, pass := range []func() (int, error){
			func() (int, error) {
				return dropFrom[Event](ctx, a, t, events, drops, func(d drop) span { return d.Events })
			},
			func() (int, error) {
				return dropFrom[Slate](ctx, a, t, slates, drops, func(d drop) span { return d.Slates })
			},
		} {
			n, err := pass()
			total += n
			if err != nil {
				return total, err
			}
		}
		for _, d := range drops {
			if err := a.Blobs.Delete(ctx, d.key(t)); err != nil {
				return total, err
			}
		}
	}
}

// dropFrom writes anew each file that may hold what is to go, or removes it.
func dropFrom[R record](ctx context.Context, a *Archive, t upnext.Tenant, set string, drops []drop, of func(drop) span) (total int, err error) {
	for p, err := range parts(ctx, a.Blobs, t, set, "") {
		if err != nil {
			return total, err
		}
		going := map[string][]span{}
		for _, d := range drops {
			if s := of(d); s.First <= p.last && p.first <= s.Last && strings.HasPrefix(d.Viewer, p.hash) {
				going[d.Viewer] = append(going[d.Viewer], s)
			}
		}
		if len(going) == 0 {
			continue
		}
		n, err := rewrite(ctx, a, p, func(row R) bool {
			for _, s := range going[row.pseudonym()] {
				if s.has(row.sequence()) {
					return true
				}
			}
			return false
		})
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// rewrite takes the rows that go out of a file and returns how many did.
func rewrite[R record](ctx context.Context, a *Archive, p part, goes func(R) bool) (int, error) {
	var stay []R
	gone := 0
	for row, err := range readPart[R](ctx, a.Blobs, p) {
		switch {
		case err != nil:
			return 0, err
		case goes(row):
			gone++
		default:
			stay = append(stay, row)
		}
	}
	var err error
	switch {
	case gone == 0:
	case len(stay) == 0:
		err = a.Blobs.Delete(ctx, p.key())
	default:
		_, err = writePart(ctx, a.Blobs, p, stay)
	}
	if err != nil {
		return 0, err
	}
	return gone, nil
}
