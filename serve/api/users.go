package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
)

// UserPath names a viewer in a path.
type UserPath struct {
	ID        string `path:"id"`
	Anonymous bool   `query:"anonymous" doc:"The id is an anonymous_id."`
}

type userBody struct {
	ID         string         `json:"id,omitempty" readOnly:"true"`
	Locale     string         `json:"locale,omitempty" maxLength:"35" doc:"BCP 47."`
	Region     string         `json:"region,omitempty" maxLength:"8" doc:"ISO 3166."`
	BirthYear  int            `json:"birth_year,omitempty" minimum:"1900" maximum:"2200"`
	Attributes map[string]any `json:"attributes,omitempty" doc:"What user.NAME means in filters; typed by the schema of users."`
	Follows    []string       `json:"follows,omitempty" maxItems:"10000" doc:"Creators followed; what is left out of a PUT is unfollowed."`
	UpdatedAt  *time.Time     `json:"updated_at,omitempty" readOnly:"true"`
}

type userOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"Of the user as they stand: for If-Match and If-None-Match."`
	Body   userBody
}

func userReply(b userBody) *userOutput { return &userOutput{http.StatusOK, contentTag(b), b} }

// userAllows checks a write's conditions. They are looked at before it, not
// while: of two at the same moment both may pass.
func (a *api) userAllows(ctx context.Context, path UserPath, c Conditions) error {
	if !c.given() {
		return nil
	}
	now, err := a.readUser(ctx, path)
	if errors.Is(err, upnext.ErrNotFound) {
		return c.met("")
	}
	if err != nil {
		return err
	}
	return c.met(contentTag(now))
}

func (a *api) putUser(ctx context.Context, in *struct {
	UserPath
	Conditions
	Body userBody
}) (*userOutput, error) {
	if err := a.userAllows(ctx, in.UserPath, in.Conditions); err != nil {
		return nil, err
	}
	return a.saveUser(ctx, in.UserPath, in.Body)
}

func (a *api) patchUser(ctx context.Context, in *struct {
	UserPath
	Conditions
	Body map[string]any `contentType:"application/merge-patch+json"`
}) (*userOutput, error) {
	if err := a.userAllows(ctx, in.UserPath, in.Conditions); err != nil {
		return nil, err
	}
	now, err := a.readUser(ctx, in.UserPath)
	if errors.Is(err, upnext.ErrNotFound) {
		now, err = userBody{}, nil
	}
	if err != nil {
		return nil, err
	}
	now.ID, now.UpdatedAt = "", nil
	merged, err := mergePatch(now, in.Body)
	if err != nil {
		return nil, err
	}
	var body userBody
	if err := strictJSON(merged, &body); err != nil {
		return nil, upnext.Unread("user", err)
	}
	return a.saveUser(ctx, in.UserPath, body)
}

// saveUser keeps the properties and turns changed follows into events, which
// are the one truth of who follows whom.
func (a *api) saveUser(ctx context.Context, path UserPath, b userBody) (*userOutput, error) {
	id, err := a.viewer(ctx, path)
	if err != nil {
		return nil, err
	}
	t := callerOf(ctx).tenant
	attributes, err := a.typed(ctx, t, "users", b.Attributes)
	if err != nil {
		return nil, err
	}
	viewer := upnext.Viewer{
		ID: id, Locale: b.Locale, Region: b.Region, BirthYear: b.BirthYear, Attributes: attributes, UpdatedAt: a.Now().UTC(),
	}
	if err := viewer.Validate(); err != nil {
		return nil, err
	}
	if _, err := a.Viewers.PutViewer(ctx, t, viewer); err != nil {
		return nil, err
	}
	a.Recommender.Forget(t, id) // what it holds of the viewer is old now
	profile, err := a.Recommender.Profile(ctx, t, id)
	if err != nil {
		return nil, err
	}
	var events []upnext.Event
	change := func(kind upnext.EventKind, creator string) {
		events = append(events, upnext.Event{ID: upnext.EventID(ulid.Make().String()), Kind: kind, At: a.Now().UTC(), ReceivedAt: a.Now().UTC(), Viewer: id, Creator: creator, Surface: "users"})
	}
	for _, creator := range b.Follows {
		if !slices.Contains(profile.Follows, creator) {
			change(upnext.Follow, creator)
		}
	}
	for _, creator := range profile.Follows {
		if !slices.Contains(b.Follows, creator) {
			change(upnext.Unfollow, creator)
		}
	}
	for _, e := range events {
		if err := e.Validate(a.Now()); err != nil {
			return nil, upnext.Invalid(fmt.Sprintf("follows/%d", slices.Index(b.Follows, e.Creator)), "%s", locate(err).Detail)
		}
	}
	if len(events) > 0 {
		if _, err := a.Recommender.Feedback(ctx, t, events...); err != nil {
			return nil, err
		}
	}
	body, err := a.readUser(ctx, path)
	return userReply(body), err
}

func (a *api) getUser(ctx context.Context, in *struct {
	UserPath
	Conditions
}) (*userOutput, error) {
	body, err := a.readUser(ctx, in.UserPath)
	if err != nil {
		return nil, err
	}
	out := userReply(body)
	if in.known(out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

func (a *api) readUser(ctx context.Context, path UserPath) (userBody, error) {
	id, err := a.viewer(ctx, path)
	if err != nil {
		return userBody{}, err
	}
	t := callerOf(ctx).tenant
	profile, err := a.Recommender.Profile(ctx, t, id)
	if err != nil {
		return userBody{}, err
	}
	v, err := a.Viewers.Viewer(ctx, t, id)
	if err != nil && (!errors.Is(err, upnext.ErrNotFound) || !profile.Known) {
		return userBody{}, err
	}
	b := userBody{ID: id.ID, Locale: v.Locale, Region: v.Region, BirthYear: v.BirthYear, Attributes: v.Attributes, Follows: profile.Follows}
	if !v.UpdatedAt.IsZero() {
		b.UpdatedAt = &v.UpdatedAt
	}
	return b, nil
}

type eraseOutput struct {
	Body struct {
		UserID    string    `json:"user_id"`
		Events    int       `json:"events" doc:"Events erased."`
		Slates    int       `json:"recommendations" doc:"Recorded answers erased."`
		ErasedAt  time.Time `json:"erased_at"`
		Remaining int       `json:"remaining" doc:"Always 0: nothing of the user is left."`
	}
}

func (a *api) eraseUser(ctx context.Context, in *UserPath) (*eraseOutput, error) {
	id, err := a.viewer(ctx, *in)
	if err != nil {
		return nil, err
	}
	receipt, err := a.Recommender.Erase(ctx, callerOf(ctx).tenant, id)
	if err != nil {
		return nil, err
	}
	var out eraseOutput
	out.Body.UserID, out.Body.Events, out.Body.Slates, out.Body.ErasedAt = id.ID, receipt.Events, receipt.Slates, a.Now().UTC()
	return &out, nil
}

// mergePatch lays patch over v by RFC 7396 and returns the JSON.
func mergePatch(v any, patch map[string]any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var target map[string]any
	if err := json.Unmarshal(raw, &target); err != nil {
		return nil, err
	}
	return json.Marshal(merge(target, patch))
}

func merge(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			inner, _ := target[k].(map[string]any)
			target[k] = merge(inner, v)
		default:
			target[k] = v
		}
	}
	return target
}
