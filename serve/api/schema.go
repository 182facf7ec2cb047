package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"upnext"
)

type attributeBody struct {
	Name       string `json:"name" pattern:"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$"`
	Type       string `json:"type" enum:"string,number,bool,time,strings"`
	Filterable bool   `json:"filterable,omitempty"`
	Boostable  bool   `json:"boostable,omitempty"`
	Embedded   bool   `json:"embedded,omitempty" doc:"Its text is part of the item's vector."`
}

type schemaBody struct {
	Attributes []attributeBody `json:"attributes" maxItems:"200"`
}

// SchemaPath names a schema in a path.
type SchemaPath struct {
	Kind string `path:"kind" enum:"items,users"`
}

type schemaOutput struct{ Body schemaBody }

var attributeName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

func (a *api) putSchema(ctx context.Context, in *struct {
	SchemaPath
	Body schemaBody
}) (*schemaOutput, error) {
	t := callerOf(ctx).tenant
	had, err := a.Schemas.Schema(ctx, t, in.Kind)
	if err != nil {
		return nil, err
	}
	types := map[string]upnext.AttributeType{}
	for _, h := range had {
		types[h.Name] = h.Type
	}
	var schema upnext.Schema
	seen := map[string]bool{}
	for i, b := range in.Body.Attributes {
		if !attributeName.MatchString(b.Name) || seen[b.Name] {
			return nil, upnext.Invalid(fmt.Sprintf("attributes/%d/name", i), "%.80q is not a name or comes twice", b.Name)
		}
		seen[b.Name] = true
		if old, ok := types[b.Name]; ok && old != upnext.AttributeType(b.Type) {
			return nil, pointed(http.StatusConflict, fmt.Sprintf("/attributes/%d/type", i), fmt.Sprintf("%s is a %s already, and items may hold values of it", b.Name, old))
		}
		schema = append(schema, upnext.Attribute{Name: b.Name, Type: upnext.AttributeType(b.Type), Filterable: b.Filterable, Boostable: b.Boostable, Embedded: b.Embedded})
	}
	if err := a.Schemas.PutSchema(ctx, t, in.Kind, schema); err != nil {
		return nil, err
	}
	return &schemaOutput{in.Body}, nil
}

func (a *api) getSchema(ctx context.Context, in *SchemaPath) (*schemaOutput, error) {
	schema, err := a.Schemas.Schema(ctx, callerOf(ctx).tenant, in.Kind)
	if err != nil {
		return nil, err
	}
	out := &schemaOutput{schemaBody{[]attributeBody{}}}
	for _, s := range schema {
		out.Body.Attributes = append(out.Body.Attributes, attributeBody{s.Name, string(s.Type), s.Filterable, s.Boostable, s.Embedded})
	}
	return out, nil
}

// typed gives JSON values the Go types that the schema of kind names: times
// and string lists come as JSON strings and arrays.
func (a *api) typed(ctx context.Context, t upnext.Tenant, kind string, values map[string]any) (map[string]any, error) {
	if len(values) == 0 {
		return nil, nil
	}
	schema, err := a.Schemas.Schema(ctx, t, kind)
	if err != nil {
		return nil, err
	}
	types := map[string]upnext.AttributeType{}
	for _, s := range schema {
		types[s.Name] = s.Type
	}
	out := make(map[string]any, len(values))
	for name, v := range values {
		if out[name], err = typedValue(types[name], v); err != nil {
			return nil, upnext.Within("attributes/"+upnext.Key(name), err)
		}
	}
	return out, schema.Check(out)
}

func typedValue(want upnext.AttributeType, v any) (any, error) {
	switch v := v.(type) {
	case string:
		if want == upnext.Time {
			at, err := time.Parse(time.RFC3339, v)
			if err != nil {
				return nil, upnext.Invalid("", "%.80q is not an RFC 3339 time", v)
			}
			return at.UTC(), nil
		}
		return v, nil
	case []any:
		list := make([]string, len(v))
		for i, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, upnext.Invalid(strconv.Itoa(i), "%.80v is not a string", x)
			}
			list[i] = s
		}
		return list, nil
	}
	return v, nil
}
