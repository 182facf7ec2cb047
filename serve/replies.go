package serve

import (
	"context"
	"time"

	"upnext"
)

// pruneRepliesEvery is how often replies are bounded: what comes between two
// looks is more than Settings.ReplyBytes for so long.
const pruneRepliesEvery = time.Minute

// pruneReplies lets go of the replies that are too old, or too many.
func (r *Recommender) pruneReplies(ctx context.Context) {
	tick := time.NewTicker(pruneRepliesEvery)
	defer tick.Stop()
	for {
		n, err := r.Replies.PruneReplies(ctx, r.Now().Add(-upnext.KeepReply), r.Settings.ReplyBytes)
		switch {
		case err != nil && ctx.Err() == nil:
			r.Logger.Error("replies not pruned", "error", err)
		case n > 0:
			r.Logger.Info("replies pruned", "replies", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
