package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"upnext"
)

// Understandings is the upnext.Understandings.
type Understandings struct{ db database }

var _ upnext.Understandings = (*Understandings)(nil)

// Believe implements upnext.Understandings. Items that are not in the
// catalogue (deleted while a model looked at them) are passed over; a belief
// that is the same, its At included, changes nothing.
func (u *Understandings) Believe(ctx context.Context, t upnext.Tenant, beliefs map[upnext.ItemID]upnext.Understanding) error {
	if len(beliefs) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(beliefs)) // an order that any two writers share
	bodies := make([]string, len(ids))
	for i, id := range ids {
		if err := checkColumns("item id", string(id)); err != nil {
			return fmt.Errorf("believe: %w", err)
		}
		body, err := encodeUnderstanding(string(id), beliefs[id])
		if err != nil {
			return fmt.Errorf("believe: %w", err)
		}
		bodies[i] = body
	}
	err := u.db.update(ctx, func(tx *sql.Tx) error {
		version, err := bump(ctx, tx, t, catalogCounter, len(ids))
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `UPDATE items SET version = $3, updated_at = $4, believed = $5
			WHERE tenant = $1 AND id = $2 AND deleted = 0 AND believed <> $5`)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }() // ends with the transaction anyway
		now := micros(time.Now())
		for i, id := range ids {
			if _, err := stmt.ExecContext(ctx, string(t), string(id), version+int64(i), now, bodies[i]); err != nil {
				return fmt.Errorf("item %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("believe of %d items: %w", len(beliefs), err)
	}
	u.db.changed(t)
	return nil
}

// Correct implements upnext.Understandings. It returns what is then known of
// the item: what was said over what is believed. Every label that is said gets
// the model "person" and confidence 1.
func (u *Understandings) Correct(ctx context.Context, t upnext.Tenant, id upnext.ItemID, said upnext.Understanding) (upnext.Understanding, error) {
	if err := checkColumns("item id", string(id)); err != nil {
		return upnext.Understanding{}, fmt.Errorf("correct: %w", err)
	}
	var known upnext.Understanding
	err := u.db.update(ctx, func(tx *sql.Tx) error {
		version, err := bump(ctx, tx, t, catalogCounter, 1)
		if err != nil {
			return err
		}
		var saidText, believedText string
		err = tx.QueryRowContext(ctx, `SELECT said, believed FROM items WHERE tenant = $1 AND id = $2 AND deleted = 0`,
			string(t), string(id)).Scan(&saidText, &believedText)
		if err != nil {
			return err
		}
		earlier, err := decodeUnderstanding(string(id), saidText)
		if err != nil {
			return err
		}
		person := byPerson(said).Over(earlier)
		text, err := encodeUnderstanding(string(id), person)
		if err != nil {
			return err
		}
		if known, err = decodeOver(string(id), text, believedText); err != nil || text == saidText {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE items SET version = $3, updated_at = $4, said = $5
			WHERE tenant = $1 AND id = $2`, string(t), string(id), version, micros(time.Now()), text)
		return err
	})
	if err != nil {
		return upnext.Understanding{}, fmt.Errorf("correct the understanding of item %s: %w", id, err)
	}
	u.db.changed(t)
	return known, nil
}

// byPerson returns u with every label marked as a person's.
func byPerson(u upnext.Understanding) upnext.Understanding {
	mark := func(labels []upnext.Label) []upnext.Label {
		labels = slices.Clone(labels) // nil stays nil, empty stays empty
		for i := range labels {
			labels[i].Model, labels[i].Confidence = upnext.ByPerson, 1
		}
		return labels
	}
	return upnext.Understanding{
		Topics: mark(u.Topics), Emotion: mark(u.Emotion), Style: mark(u.Style),
		Language: mark(u.Language), Safety: mark(u.Safety),
	}
}
