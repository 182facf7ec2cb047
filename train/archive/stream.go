package archive

import (
	"context"
	"fmt"
	"time"

	"upnext"
)

// The data sets.
const (
	events = "events"
	slates = "slates"
)

// stream is how a data set is read from the database.
type stream[S any, R record] struct {
	set   string
	since func(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]S, error)
	row   func(S) R
}

// page is how many rows are read from the database at a time.
const page = 1_000

// batch archives the next rows and returns how many, and whether it moved the
// cursor: a batch that is done again may find all its rows erased.
// The range is pinned before the first file is written: a run that a crash
// cut short is done again over the same range, in the place of its files.
func (s stream[S, R]) batch(ctx context.Context, a *Archive, t upnext.Tenant) (n int, moved bool, err error) {
	from, _, err := a.load(ctx, t, s.set)
	if err != nil {
		return 0, false, err
	}
	if from.Upto > 0 {
		if err := a.sweep(ctx, t, s.set, from.After); err != nil {
			return 0, false, err
		}
	}
	rows, last, err := s.read(ctx, a, t, from)
	if err != nil || len(rows) == 0 && from.Upto == 0 {
		return 0, false, err
	}
	pinned := from
	if pinned.Upto == 0 {
		pinned.Upto = last
		if err := a.save(ctx, t, s.set, from, pinned); err != nil {
			return 0, false, err
		}
	}
	if err := s.write(ctx, a, t, pinned, rows); err != nil {
		return 0, false, err
	}
	done := pinned
	done.After, done.Upto = pinned.Upto, 0
	return len(rows), true, a.save(ctx, t, s.set, pinned, done)
}

// sweep removes what lies beyond the cursor: the files of a run that did not
// end. What was retracted since must not stay in one that is not written again.
func (a *Archive) sweep(ctx context.Context, t upnext.Tenant, set string, after int64) error {
	for p, err := range parts(ctx, a.Blobs, t, set, "") {
		if err != nil {
			return err
		}
		if p.last > after {
			if err := a.Blobs.Delete(ctx, p.key()); err != nil {
				return err
			}
		}
	}
	return nil
}

// read returns the rows of a pinned range, or up to a batch of what waits, and
// the Seq of the last.
func (s stream[S, R]) read(ctx context.Context, a *Archive, t upnext.Tenant, from state) (rows []R, last int64, err error) {
	last = from.After
	for bytes := 0; ; {
		read, err := s.since(ctx, t, last, page)
		if err != nil {
			return nil, 0, err
		}
		for _, one := range read {
			row := s.row(one)
			if from.Upto > 0 && row.sequence() > from.Upto {
				return rows, last, nil
			}
			rows, last, bytes = append(rows, row), row.sequence(), bytes+row.bytes()
			if from.Upto == 0 && (len(rows) == a.MaxRows || bytes >= a.MaxBytes) {
				return rows, last, nil
			}
		}
		if len(read) < page {
			return rows, last, nil
		}
	}
}

// write sorts the rows into their files.
func (s stream[S, R]) write(ctx context.Context, a *Archive, t upnext.Tenant, at state, rows []R) error {
	sortRows(rows)
	files, written := map[part][]R{}, int64(0)
	for _, row := range rows {
		p := part{
			tenant: t, set: s.set, day: dayOf(row.day()), hash: row.pseudonym()[:1+a.HashDigits],
			first: at.After + 1, last: at.Upto,
		}
		files[p] = append(files[p], row)
	}
	begun := time.Now()
	for p, rows := range files {
		n, err := writePart(ctx, a.Blobs, p, rows)
		if err != nil {
			return err
		}
		written += n
	}
	a.Logger.Info("archived", "tenant", t, "set", s.set, "rows", len(rows), "upto", at.Upto,
		"files", len(files), "bytes", written, "took", time.Since(begun))
	return nil
}

// due reports whether a batch should be written: enough rows wait, or one has
// waited long enough, or a batch was begun.
func (s stream[S, R]) due(ctx context.Context, a *Archive, t upnext.Tenant) (bool, error) {
	at, head, err := a.load(ctx, t, s.set)
	if err != nil {
		return false, err
	}
	if at.Upto > 0 || head-at.After >= int64(a.MinRows) {
		return true, nil
	}
	if head == at.After {
		return false, nil
	}
	oldest, err := s.since(ctx, t, at.After, 1)
	if err != nil || len(oldest) == 0 {
		return false, err
	}
	return !s.row(oldest[0]).day().After(a.Now().Add(-a.MaxAge)), nil
}

func (a *Archive) events(t upnext.Tenant) stream[upnext.Event, Event] {
	return stream[upnext.Event, Event]{events, a.Events.Since, a.eventRow(t)}
}

func (a *Archive) slates(t upnext.Tenant) stream[upnext.Slate, Slate] {
	return stream[upnext.Slate, Slate]{slates, a.Slates.SlatesSince, a.slateRow(t)}
}

func wrap(what string, t upnext.Tenant, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of tenant %s: %w", what, t, err)
}
