package serve

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/serve/rule"
)

// scarce tells a row that has few to choose from: what others took of these would
// leave it empty.
func (row *rowAsked) scarce() bool { return row.left == nil && len(row.ranked) <= 2*row.req.Count }

// assemble arranges rows, each of what those before it have left, and returns
// those that are shown.
func (r *Recommender) assemble(ctx context.Context, base *asked, rows []*rowAsked) (shown []*rowAsked, page upnext.Page) {
	page.ID = upnext.SlateID("page_" + ulid.MustNewDefault(base.now).String())
	taken := map[upnext.ItemID]bool{}
	var above []rule.Known
	for _, scarce := range []bool{true, false} {
		for _, row := range rows {
			if row.left != nil || row.scarce() != scarce {
				continue
			}
			row.guard.Returned = maps.Clone(taken)
			placed := r.rerank(ctx, row.asked, row.ranked, above...)
			if row.left = row.short(len(placed)); row.left != nil {
				continue
			}
			row.slate = r.explain(ctx, row.asked, placed, row.ranked)
			for _, c := range placed {
				taken[c.item.Item.ID] = true
				above = append(above, rule.Known{Item: c.item, Vector: c.vector})
			}
		}
	}
	for _, row := range rows {
		if row.left == nil {
			shown = append(shown, row)
		} else {
			page.LeftOut = append(page.LeftOut, upnext.LeftOut{Row: row.Name, Reason: row.left.Error()})
		}
	}
	return shown, page
}

// short says why a row with n items is not shown; nil where it is.
func (row *rowAsked) short(n int) error {
	least := max(1, row.Least)
	if n >= least {
		return nil
	}
	reason := fmt.Sprintf("%d items, %d wanted at least", n, least)
	for _, d := range row.degraded {
		reason += "; " + d.Stage + ": " + d.Reason
	}
	return errors.New(reason)
}
