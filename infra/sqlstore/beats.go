package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

// Beats is the upnext.Beats.
type Beats struct{ db database }

var _ upnext.Beats = (*Beats)(nil)

// PutBeat implements upnext.Beats.
func (s *Beats) PutBeat(ctx context.Context, t upnext.Tenant, b upnext.Beat) error {
	err := checkColumns("tenant", string(t), "item id", string(b.Item))
	if err == nil {
		_, err = s.db.remove(ctx, `INSERT INTO beats (tenant, item, at, until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, item) DO UPDATE SET at = excluded.at, until = excluded.until WHERE beats.at <= excluded.at`,
			string(t), string(b.Item), micros(b.At), micros(b.Until))
	}
	if err != nil {
		return fmt.Errorf("put the beat of item %s: %w", b.Item, err)
	}
	return nil
}

// BeatsSince implements upnext.Beats.
func (s *Beats) BeatsSince(ctx context.Context, t upnext.Tenant, at time.Time) ([]upnext.Beat, error) {
	beats, err := query(ctx, s.db.read, func(rows *sql.Rows) (upnext.Beat, error) {
		var item string
		var at, until int64
		err := rows.Scan(&item, &at, &until)
		return upnext.Beat{Item: upnext.ItemID(item), At: fromMicros(at), Until: fromMicros(until)}, err
	}, `SELECT item, at, until FROM beats WHERE tenant = $1 AND at >= $2`, string(t), micros(at))
	if err != nil {
		return nil, fmt.Errorf("beats since %s: %w", at.Format(time.RFC3339), err)
	}
	return beats, nil
}
