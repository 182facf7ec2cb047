package gorse

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"upnext"
	"upnext/ingest/rivals"
)

// fromFolder reads users, items and feedback, each as JSON lines or CSV.
func (r Reader) fromFolder(ctx context.Context, to *rivals.Sink) error {
	found := false
	for _, part := range []struct {
		name string
		take func(rivals.Record) error
	}{
		{"items", func(rec rivals.Record) error {
			var g item
			if err := decode(exported(rec.Fields), &g); err != nil {
				return to.Problem(rec.Place, err)
			}
			return r.item(rec.Place, g, to)
		}},
		{"users", func(rec rivals.Record) error {
			var g user
			if err := decode(exported(rec.Fields), &g); err != nil {
				return to.Problem(rec.Place, err)
			}
			return r.user(rec.Place, g, to)
		}},
		{"feedback", func(rec rivals.Record) error {
			var g feedback
			if err := decode(exported(rec.Fields), &g); err != nil {
				return to.Problem(rec.Place, err)
			}
			return r.feedback(rec.Place, g, to)
		}},
	} {
		path, err := rivals.Find(r.Source, part.name)
		if err != nil {
			return fmt.Errorf("gorse: %w", err)
		}
		if path == "" {
			continue
		}
		found = true
		for rec, err := range rivals.Records(ctx, path) {
			switch {
			case rivals.Fatal(err):
				return fmt.Errorf("gorse: %w", err)
			case err != nil:
				err = to.Problem(rec.Place, err)
			default:
				err = part.take(rec)
			}
			if err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("gorse: %s: there is none of items, users, feedback (.jsonl or .csv): %w", r.Source, upnext.ErrInvalid)
	}
	return nil
}

// exported gives the columns of CSV the names and types of the JSON: user_id
// is UserId, a|b is a list, labels may be JSON.
func exported(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, v := range fields {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", ""))
		s, isText := v.(string)
		switch {
		case !isText:
		case plain == "ishidden":
			if b, err := strconv.ParseBool(s); err == nil {
				v = b
			}
		case plain == "value":
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				v = f
			}
		case plain == "categories", plain == "labels":
			v = labelsOf(s)
		}
		out[plain] = v
	}
	return out
}

func labelsOf(s string) any {
	var v any
	if s = strings.TrimSpace(s); s == "" {
		return nil
	} else if (s[0] == '[' || s[0] == '{') && json.Unmarshal([]byte(s), &v) == nil {
		return v
	}
	list := []any{}
	for part := range strings.SplitSeq(s, "|") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
