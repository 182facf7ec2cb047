package upnext

import (
	"context"
	"slices"
	"time"
)

// AttributeType is the type of an attribute's values.
type AttributeType string

// The attribute types and the Go type that carries each.
const (
	String  AttributeType = "string"  // string
	Number  AttributeType = "number"  // float64
	Bool    AttributeType = "bool"    // bool
	Time    AttributeType = "time"    // time.Time
	Strings AttributeType = "strings" // []string
)

// Attribute describes one attribute that a tenant gives its items.
type Attribute struct {
	Name       string
	Type       AttributeType
	Filterable bool
	Boostable  bool
	Embedded   bool // its text is part of the item's vector
}

// Schema is the attributes of one kind of thing ("items" or "users").
type Schema []Attribute

// Check reports as a FieldError the first value that is not of its attribute's
// type, and every name that the schema does not have.
func (s Schema) Check(values map[string]any) error {
	for name, v := range values {
		i := slices.IndexFunc(s, func(a Attribute) bool { return a.Name == name })
		if i < 0 {
			return Invalid("attributes/"+Key(name), "not in the schema")
		}
		ok := false
		switch s[i].Type {
		case String:
			_, ok = v.(string)
		case Number:
			_, ok = v.(float64)
		case Bool:
			_, ok = v.(bool)
		case Time:
			_, ok = v.(time.Time)
		case Strings:
			_, ok = v.([]string)
		}
		if !ok {
			return Invalid("attributes/"+Key(name), "%.80v is not a %s", v, s[i].Type)
		}
	}
	return nil
}

// Schemas keeps the tenants' schemas. It is safe for concurrent use.
type Schemas interface {
	// PutSchema replaces the schema of a kind of thing.
	PutSchema(ctx context.Context, t Tenant, kind string, s Schema) error

	// Schema returns it; one that was never put is empty, not an error.
	Schema(ctx context.Context, t Tenant, kind string) (Schema, error)
}
