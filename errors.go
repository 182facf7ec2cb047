package upnext

import (
	"errors"
	"fmt"
	"strings"
)

// The four kinds of failure that cross package boundaries. Engines turn their
// library's errors into one of these by wrapping (%w); serve/api alone maps
// them to HTTP: 404, 400 or 422, 409, 503.
var (
	// ErrNotFound says that the named thing does not exist.
	ErrNotFound = errors.New("not found")
	// ErrInvalid says that the caller's input is wrong; asking again does not help.
	ErrInvalid = errors.New("invalid")
	// ErrConflict says that the input contradicts what is there.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable says that an engine cannot answer now; asking later may help.
	ErrUnavailable = errors.New("unavailable")
)

// FieldError is an ErrInvalid that says where: in what, and in which field of it.
type FieldError struct {
	Of     string // what is wrong, for people: "item v1"; may be empty
	Field  string // as JSON has it, level by level: "duration_ms", "tags/3", "attributes/year"; empty for the whole
	Detail string // what is wrong there, for people
	Err    error  // who found it, where they know more, as a column; may be nil, and may hold the next FieldError inwards
}

// Invalid makes a FieldError of a field.
func Invalid(field, format string, args ...any) error { return invalid("", field, format, args...) }

func invalid(of, field, format string, args ...any) error {
	return &FieldError{Of: of, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Key is a name of the caller's as one level of a Field, escaped as in a JSON
// pointer (RFC 6901).
func Key(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// Within says that err was found in a field: an ErrInvalid gets the field
// before its own, any other error only the name.
func Within(field string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrInvalid) {
		return fmt.Errorf("%s: %w", field, err)
	}
	var inner *FieldError
	if errors.As(err, &inner) {
		return &FieldError{inner.Of, strings.TrimSuffix(field+"/"+inner.Field, "/"), inner.Detail, inner.Err}
	}
	return &FieldError{Field: field, Detail: strings.TrimSuffix(err.Error(), ": "+ErrInvalid.Error()), Err: err}
}

// Error names what and the field first.
func (e *FieldError) Error() string {
	var parts []string
	for _, s := range []string{e.Of, e.Field, e.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Unwrap makes it an ErrInvalid, and whatever else its finder's error is.
func (e *FieldError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrInvalid}
	}
	return []error{ErrInvalid, e.Err}
}

// Unread is the FieldError of JSON that encoding/json could not decode into a
// struct: it names an unknown field, or says at which byte the text breaks off.
func Unread(of string, err error) error {
	if name, ok := strings.CutPrefix(err.Error(), `json: unknown field "`); ok {
		name = strings.TrimSuffix(name, `"`)
		return &FieldError{Of: of, Field: Key(name), Detail: "unknown field"}
	}
	return &FieldError{Of: of, Detail: err.Error()}
}
