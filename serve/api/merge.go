package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"upnext"
)

type mergeBody struct {
	AnonymousID string `json:"anonymous_id" minLength:"1" maxLength:"256" doc:"Who turned out to be this user."`
}

type mergeOutput struct {
	Body struct {
		UserID      string    `json:"user_id"`
		AnonymousID string    `json:"anonymous_id"`
		Events      int       `json:"events" doc:"Moved to the user by this call."`
		Duplicates  int       `json:"duplicates" doc:"Events that the user had under the same id."`
		Properties  bool      `json:"properties" doc:"Whether the user got any that they lacked."`
		MergedAt    time.Time `json:"merged_at" doc:"When the two were first merged."`
	}
}

// mergeUser makes one of an anonymous viewer and a user.
func (a *api) mergeUser(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body mergeBody
}) (*mergeOutput, error) {
	known, anonymous := upnext.ViewerID{ID: in.ID}, upnext.ViewerID{ID: in.Body.AnonymousID, Anonymous: true}
	if err := of("path.id", known.Validate()); err != nil {
		return nil, err
	}
	if err := anonymous.Validate(); err != nil {
		return nil, err
	}
	t := callerOf(ctx).tenant
	who, err := a.Recommender.Whose(ctx, t, anonymous)
	if err == nil && who != anonymous && who != known {
		err = pointed(http.StatusConflict, "/anonymous_id", mergedInto(who))
	}
	if err != nil {
		return nil, err
	}
	tellsOf(ctx, known)
	merged, err := a.Recommender.Merge(ctx, t, anonymous, known)
	if err != nil {
		return nil, err
	}
	out := &mergeOutput{}
	out.Body.UserID, out.Body.AnonymousID, out.Body.MergedAt = known.ID, anonymous.ID, merged.At
	out.Body.Events, out.Body.Duplicates, out.Body.Properties = merged.Events, merged.Duplicates, merged.Properties
	return out, nil
}

// viewer returns whom a path names. Who was merged into a user has nothing of
// their own any more: a Problem says where it is.
func (a *api) viewer(ctx context.Context, p UserPath) (upnext.ViewerID, error) {
	id := upnext.ViewerID{ID: p.ID, Anonymous: p.Anonymous}
	if err := of("path.id", id.Validate()); err != nil {
		return id, err
	}
	who, err := a.Recommender.Whose(ctx, callerOf(ctx).tenant, id)
	if err == nil && who != id {
		err = pointed(http.StatusConflict, "path.id", mergedInto(who))
	}
	return id, err
}

func mergedInto(who upnext.ViewerID) string {
	return fmt.Sprintf("this anonymous viewer was merged into the user %s", who.ID)
}
