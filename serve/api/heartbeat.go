package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"upnext"
)

type heartbeatBody struct {
	TTL int `json:"ttl_s,omitempty" minimum:"5" maximum:"600" doc:"Seconds after which the stream is taken for ended, unless another heartbeat comes; default 30."`
}

type heartbeatOutput struct {
	Body struct {
		ItemID string    `json:"item_id"`
		Until  time.Time `json:"until" doc:"Not shown from then on, unless another heartbeat comes."`
	}
}

// heartbeat is a live stream's sign of life. The first one also turns its room
// on, where nobody has said anything of it.
func (a *api) heartbeat(ctx context.Context, in *struct {
	ItemPath
	Body *heartbeatBody
}) (*heartbeatOutput, error) {
	if err := a.turnOn(ctx, in.ID); err != nil {
		return nil, err
	}
	seconds := 30
	if in.Body != nil {
		seconds = cmp.Or(in.Body.TTL, seconds)
	}
	beat, err := a.Recommender.Beat(ctx, callerOf(ctx).tenant, upnext.ItemID(in.ID), time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	out := &heartbeatOutput{}
	out.Body.ItemID, out.Body.Until = in.ID, beat.Until
	return out, nil
}

// turnOn sees to it that an item is a live stream whose room is on.
func (a *api) turnOn(ctx context.Context, id string) error {
	for try := 1; ; try++ {
		rec, err := a.record(ctx, id)
		switch {
		case err != nil:
			return err
		case rec.Item.Kind != "live":
			return parameter("path.id", "is a %s: heartbeats are of live streams", rec.Item.Kind)
		case rec.Item.RoomState == upnext.RoomOff:
			return pointed(http.StatusConflict, "path.id", fmt.Sprintf("the room of %.80s is off; say room_state on to begin again", id))
		case rec.Item.RoomState == upnext.RoomOn:
			return nil
		}
		rec.Item.RoomState = upnext.RoomOn
		t := callerOf(ctx).tenant
		done, err := a.Writer.PutOnly(ctx, t, rec.Item, rec.Version)
		if err == nil {
			err = done.Err
		}
		if errors.Is(err, upnext.ErrConflict) && try < patchTries {
			continue // somebody else has written it: look again
		}
		if err != nil {
			return err
		}
		return a.Recommender.Refresh(ctx, t)
	}
}
