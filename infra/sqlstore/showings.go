package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

var _ upnext.Showings = (*Slates)(nil)

// ShowingsOf implements upnext.Showings. A slate of before there were
// showings counts as not there.
func (s *Slates) ShowingsOf(ctx context.Context, t upnext.Tenant, ids ...upnext.SlateID) ([]upnext.Showing, error) {
	var all []upnext.Showing
	for len(ids) > 0 {
		n := min(len(ids), maxIn)
		args := []any{string(t)}
		for _, id := range ids[:n] {
			args = append(args, string(id))
		}
		page, err := query(ctx, s.db.read, scanShowing, `SELECT id, viewer, at, shown FROM slates
			WHERE tenant = $1 AND id IN (`+placeholders(2, n)+`) AND shown <> ''`, args...)
		if err != nil {
			return nil, fmt.Errorf("what %d slates showed: %w", n, err)
		}
		all, ids = append(all, page...), ids[n:]
	}
	return all, nil
}

func scanShowing(rows *sql.Rows) (upnext.Showing, error) {
	var shown upnext.Showing
	var viewer, text string
	var at int64
	if err := rows.Scan(&shown.Slate, &viewer, &at, &text); err != nil {
		return shown, err
	}
	b, err := decode[showingBody]("slate "+string(shown.Slate), text)
	if err != nil {
		return shown, err
	}
	if shown.Viewer, err = upnext.ParseViewerID(viewer); err != nil {
		return shown, fmt.Errorf("slate %s: damaged row: %w", shown.Slate, err)
	}
	shown.At, shown.Scenario, shown.Variant = fromMicros(at), b.Scenario, b.Variant
	shown.Items = make([]upnext.ShownItem, len(b.Items))
	for i, it := range b.Items {
		shown.Items[i] = upnext.ShownItem{Item: upnext.ItemID(it.Item), Rank: it.Rank, Propensity: it.Propensity, Sources: it.Sources}
	}
	return shown, nil
}

// LatestSlates implements upnext.Showings. It reads an index alone.
func (s *Slates) LatestSlates(ctx context.Context, t upnext.Tenant, since time.Time, most int, viewers ...upnext.ViewerID) ([]upnext.SlateHead, error) {
	var all []upnext.SlateHead
	for len(viewers) > 0 {
		n := min(len(viewers), maxIn)
		args := []any{string(t), micros(since), most}
		for _, v := range viewers[:n] {
			args = append(args, v.String())
		}
		page, err := query(ctx, s.db.read, scanHead, `SELECT id, viewer, at FROM (
			SELECT id, viewer, at, ROW_NUMBER() OVER (PARTITION BY viewer ORDER BY at DESC, id DESC) AS n FROM slates
			WHERE tenant = $1 AND viewer IN (`+placeholders(4, n)+`) AND at >= $2) AS latest
			WHERE n <= $3 ORDER BY viewer, at DESC, id DESC`, args...)
		if err != nil {
			return nil, fmt.Errorf("the latest slates of %d viewers: %w", n, err)
		}
		all, viewers = append(all, page...), viewers[n:]
	}
	return all, nil
}

func scanHead(rows *sql.Rows) (upnext.SlateHead, error) {
	var head upnext.SlateHead
	var viewer string
	var at int64
	if err := rows.Scan(&head.ID, &viewer, &at); err != nil {
		return head, err
	}
	var err error
	if head.Viewer, err = upnext.ParseViewerID(viewer); err != nil {
		return head, fmt.Errorf("slate %s: damaged row: %w", head.ID, err)
	}
	head.At = fromMicros(at)
	return head, nil
}
