package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"upnext"
	"upnext/infra/blob"
)

// state is how far a data set of a tenant has come.
type state struct {
	Log   int64  `json:"log"`            // the database that it was made from
	Key   string `json:"key"`            // a check of the key that its pseudonyms were made with
	After int64  `json:"after"`          // everything up to this Seq is in the files, once
	Upto  int64  `json:"upto,omitempty"` // files of (After, Upto] are being written; 0 where none are
}

// maxState bounds the small objects of the archive's own.
const maxState = 1 << 16

func stateKey(t upnext.Tenant, set string) string { return root(t) + "_state/" + set + ".json" }

// load reads the state of a data set. A file without one, another database or
// another key is an ErrConflict: going on would write rows twice, leave rows
// out or give a viewer two names. head is how far the database has come; it is
// asked after the state was read, as another process may archive meanwhile.
func (a *Archive) load(ctx context.Context, t upnext.Tenant, set string) (s state, head int64, err error) {
	key := stateKey(t, set)
	s, err = decode[state](ctx, a.Blobs, key)
	if err != nil && !errors.Is(err, upnext.ErrNotFound) {
		return state{}, 0, err
	}
	log, logErr := a.Retention.Log(ctx, t)
	if logErr != nil {
		return state{}, 0, logErr
	}
	head = log.Events
	if set == slates {
		head = log.Slates
	}
	if errors.Is(err, upnext.ErrNotFound) {
		for p, err := range parts(ctx, a.Blobs, t, set, "") {
			if err == nil {
				err = fmt.Errorf("%s is missing, and there is %s: restore the one or move the other away: %w", key, p.key(), upnext.ErrConflict)
			}
			return state{}, 0, err
		}
		return state{Log: log.ID, Key: a.pseudonyms(t).check()}, head, nil
	}
	switch {
	case s.Key != a.pseudonyms(t).check():
		return state{}, 0, fmt.Errorf("%s: made with another key: %w", key, upnext.ErrConflict)
	case s.Log != log.ID:
		return state{}, 0, fmt.Errorf("%s: made from another database: %w", key, upnext.ErrConflict)
	case max(s.After, s.Upto) > head:
		return state{}, 0, fmt.Errorf("%s: archived up to %d, and the database has only come to %d: it was set back to an older copy: %w",
			key, max(s.After, s.Upto), head, upnext.ErrConflict)
	}
	return s, head, nil
}

// save replaces the state if it still is what was loaded. The lock sees to
// that; a process that has lost its lock unawares must not set it back.
func (a *Archive) save(ctx context.Context, t upnext.Tenant, set string, from, to state) error {
	key := stateKey(t, set)
	now, err := decode[state](ctx, a.Blobs, key)
	switch {
	case errors.Is(err, upnext.ErrNotFound) && from.After == 0 && from.Upto == 0:
	case err != nil:
		return err
	case now != from:
		return fmt.Errorf("%s: changed by another process meanwhile: %w", key, upnext.ErrConflict)
	}
	return a.encode(ctx, key, to)
}

func (a *Archive) encode(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	_, err = a.Blobs.Put(ctx, key, bytes.NewReader(b))
	return err
}

func decode[T any](ctx context.Context, blobs blob.Store, key string) (T, error) {
	var v T
	b, err := read(ctx, blobs, key, maxState)
	if err == nil {
		if err = json.Unmarshal(b, &v); err != nil {
			err = fmt.Errorf("%s: damaged: %w", key, err)
		}
	}
	return v, err
}
