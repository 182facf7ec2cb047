// Package recombee reads what Recombee's list endpoints return, saved as JSON,
// and CSV tables with its names: items, users and the six interactions.
package recombee

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"upnext"
	"upnext/ingest/rivals"
)

// interactions are Recombee's, by the names that their files may have.
var interactions = []struct {
	kind  string
	files []string
}{
	{"detailview", []string{"detail_views", "detailviews"}},
	{"purchase", []string{"purchases"}},
	{"rating", []string{"ratings"}},
	{"cartaddition", []string{"cart_additions", "cartadditions"}},
	{"bookmark", []string{"bookmarks"}},
	{"viewportion", []string{"view_portions", "viewportions"}},
}

// Defaults is what each interaction becomes. There is no cart here: what was
// put into one was wanted, as what is saved is.
func Defaults() rivals.Mapping {
	return rivals.Mapping{"detailview": "view", "purchase": "purchase", "rating": "rate", "cartaddition": "save", "bookmark": "save", "viewportion": "progress"}
}

// names of properties that are taken for a field of an item, the first that
// there is; what is not named is an attribute.
var names = map[string][]string{
	"title":         {"title", "name"},
	"description":   {"description"},
	"tags":          {"tags", "categories", "genres", "labels", "keywords"},
	"language":      {"language", "lang"},
	"creator_id":    {"creator_id", "author_id", "channel_id"},
	"creator_name":  {"creator_name", "author", "channel"},
	"published_at":  {"published_at", "publishedAt", "date_published", "release_date", "created_at"},
	"duration_ms":   {"duration_ms"},
	"duration_s":    {"duration_s", "duration_seconds"},
	"thumbnail":     {"thumbnail", "image", "image_url", "images"},
	"available_to":  {"available_until", "expires_at"},
	"available_now": {"available"},
}

// Reader reads one export.
type Reader struct {
	Folder     string
	Kind       upnext.Kind       // of every item: Recombee does not say
	Properties map[string]string // property by field: "title" is in "name_en"

	lengths map[string]time.Duration // of the items, where they tell; for view portions
}

// nominal is how long an item is taken to be where nobody says, so that the
// portion that was viewed is kept.
const nominal = 10 * time.Minute

// Read writes all there is to a sink.
func (r *Reader) Read(ctx context.Context, to *rivals.Sink) error {
	if st, err := os.Stat(r.Folder); err != nil || !st.IsDir() {
		return fmt.Errorf("recombee: %s: not a folder: %w", r.Folder, upnext.ErrInvalid)
	}
	for field := range r.Properties {
		if names[field] == nil {
			return fmt.Errorf("recombee: property of %s: there is no such field: %w", field, upnext.ErrInvalid)
		}
	}
	r.lengths = map[string]time.Duration{}
	found := 0
	each := func(take func(rivals.Record) error, names ...string) error {
		path, err := rivals.Find(r.Folder, names...)
		if err != nil || path == "" {
			return err
		}
		found++
		for rec, err := range rivals.Records(ctx, path) {
			switch {
			case rivals.Fatal(err):
				return err
			case err != nil:
				err = to.Problem(rec.Place, err)
			default:
				err = take(rec)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := each(func(rec rivals.Record) error { return r.item(rec, to) }, "items")
	if err == nil {
		err = each(func(rec rivals.Record) error { return r.user(rec, to) }, "users")
	}
	for _, in := range interactions {
		if err == nil {
			err = each(func(rec rivals.Record) error { return r.interaction(in.kind, rec, to) }, in.files...)
		}
	}
	if err == nil && found == 0 {
		err = fmt.Errorf("%s: there is none of items, users, detail_views, purchases, ratings, cart_additions, bookmarks, view_portions (.json, .jsonl or .csv): %w", r.Folder, upnext.ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("recombee: %w", err)
	}
	return nil
}

// item maps the properties that mean what a field of ours means; the rest are
// attributes.
func (r *Reader) item(rec rivals.Record, to *rivals.Sink) error {
	used := map[string]bool{"itemId": true, "item_id": true}
	take := func(field string) any {
		among := names[field]
		if own := r.Properties[field]; own != "" {
			among = []string{own}
		}
		for _, name := range among {
			if v := rec.Fields[name]; v != nil && v != "" {
				used[name] = true
				return v
			}
		}
		return nil
	}
	it := upnext.Item{ID: upnext.ItemID(rivals.Text(rec.Field("itemId", "item_id"))), Kind: r.Kind,
		Title: rivals.Text(take("title")), Description: rivals.Text(take("description")), Language: rivals.Text(take("language")),
		CreatorID: rivals.Text(take("creator_id")), CreatorName: rivals.Text(take("creator_name")), Attributes: map[string]any{}}
	if it.Title == "" {
		it.Title = string(it.ID)
	}
	it.Tags = rivals.AddTags(nil, rivals.Texts(listed(take("tags")))...)
	var err error
	if it.PublishedAt, err = rivals.Time(take("published_at")); err == nil {
		it.AvailableUntil, err = rivals.Time(take("available_to"))
	}
	if err != nil {
		return to.Problem(rec.Place, err)
	}
	for field, unit := range map[string]time.Duration{"duration_ms": time.Millisecond, "duration_s": time.Second} {
		if n, ok := number(take(field)); ok && n > 0 && n < 1e9 {
			it.Duration = time.Duration(n * float64(unit))
		}
	}
	// A picture lies at an address; what is no address stays an attribute.
	if pictures := rivals.Texts(listed(take("thumbnail"))); len(pictures) > 0 && strings.HasPrefix(pictures[0], "http") {
		it.Thumbnail = pictures[0]
	}
	if available, says := take("available_now").(bool); says && !available {
		it.Status = upnext.Hidden
	}
	for name, v := range rec.Fields {
		if !used[name] {
			rivals.Attributes(it.Attributes, name, listed(v))
		}
	}
	if it.Duration > 0 {
		r.lengths[string(it.ID)] = it.Duration
	}
	return to.Item(rec.Place, it)
}

func (r *Reader) user(rec rivals.Record, to *rivals.Sink) error {
	v := upnext.Viewer{ID: upnext.ViewerID{ID: rivals.Text(rec.Field("userId", "user_id"))}, Attributes: map[string]any{}}
	for name, value := range rec.Fields {
		if name != "userId" && name != "user_id" {
			rivals.Attributes(v.Attributes, name, listed(value))
		}
	}
	return to.Viewer(rec.Place, v)
}

func (r *Reader) interaction(name string, rec rivals.Record, to *rivals.Sink) error {
	kind, ok := to.Kind(name)
	if !ok {
		return nil
	}
	user, item := rivals.Text(rec.Field("userId", "user_id")), rivals.Text(rec.Field("itemId", "item_id"))
	at, err := rivals.Time(rec.Field("timestamp"))
	if err != nil {
		return to.Problem(rec.Place, err)
	}
	session := rivals.Text(rec.Field("sessionId", "session_id"))
	e := upnext.Event{
		ID: rivals.ID("recombee", name, user, item, at.Format(time.RFC3339Nano), session), Kind: kind, At: at, Session: session,
		Viewer: upnext.ViewerID{ID: user}, Item: upnext.ItemID(item), Surface: "import", Context: map[string]any{"recombee": name},
	}
	for _, extra := range []string{"recommId", "recomm_id", "amount", "price", "profit", "duration", "additionalData", "additional_data", "portion"} {
		if v := rec.Fields[extra]; v != nil {
			e.Context[extra] = v
		}
	}
	if err := r.measure(&e, rec); err != nil {
		return to.Problem(rec.Place, err)
	}
	return to.Event(rec.Place, e)
}

// measure fills in what the event's kind needs.
func (r *Reader) measure(e *upnext.Event, rec rivals.Record) error {
	switch e.Kind {
	case upnext.Rate:
		n, ok := number(rec.Field("rating"))
		if !ok || n < -1 || n > 1 {
			return fmt.Errorf("rating: %v is not within -1 and 1: %w", rec.Field("rating"), upnext.ErrInvalid)
		}
		e.Value = (n + 1) / 2
	case upnext.Purchase, upnext.Gift:
		if n, ok := number(rec.Field("price")); ok {
			e.Amount = n
		}
	case upnext.Progress, upnext.Complete:
		portion, ok := number(rec.Field("portion"))
		if !ok || portion < 0 || portion > 1 {
			return fmt.Errorf("portion: %v is not within 0 and 1: %w", rec.Field("portion"), upnext.ErrInvalid)
		}
		length := r.lengths[string(e.Item)]
		if length == 0 {
			length = nominal
		}
		e.Watch = &upnext.Watch{Watched: time.Duration(portion * float64(length)).Round(time.Millisecond), Duration: length}
	}
	return nil
}

// number reads a number, of CSV too.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil && f == f && f < 1e300 && f > -1e300
	}
	return 0, false
}

// listed is a set as JSON inside a column of CSV; anything else is as it is.
func listed(v any) any {
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(s, "[") {
		return v
	}
	if list := rivals.ParseList(s); list != nil {
		return list
	}
	return v
}

// Interactions are the names that a Mapping may have.
func Interactions() []string {
	var all []string
	for _, in := range interactions {
		all = append(all, in.kind)
	}
	slices.Sort(all)
	return all
}
