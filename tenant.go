package upnext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tenant separates customers on one installation. It is part of every key,
// row, object path, collection and job.
type Tenant string

// DefaultTenant is the tenant of an installation that names none.
const DefaultTenant Tenant = "default"

// MaxID is the length of the longest id in bytes.
const MaxID = 256

// checkID reports as a FieldError of a field of something what makes id
// unusable: ids are the caller's strings of 1 to 256 bytes of UTF-8 without
// control characters; a slash is fine.
func checkID(of, field, id string) error {
	switch {
	case id == "":
		return invalid(of, field, "empty")
	case len(id) > MaxID:
		return invalid(of, field, "%d bytes, %d allowed", len(id), MaxID)
	case !utf8.ValidString(id):
		return invalid(of, field, "not UTF-8")
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return invalid(of, field, "control character %U", r)
		}
	}
	return nil
}

// withNUL returns the name of the first text that holds a NUL character, of
// pairs of a name and a text. No text of ours may: engines that end a text
// there, or refuse it, would each keep something else.
func withNUL(pairs ...string) (name string, found bool) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.ContainsRune(pairs[i+1], 0) {
			return pairs[i], true
		}
	}
	return "", false
}

// valueWithNUL reports whether any text within a JSON-like value holds one.
func valueWithNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []string:
		return strings.ContainsRune(strings.Join(v, ""), 0)
	case []any:
		for _, in := range v {
			if valueWithNUL(in) {
				return true
			}
		}
	case map[string]any:
		for name, in := range v {
			if strings.ContainsRune(name, 0) || valueWithNUL(in) {
				return true
			}
		}
	}
	return false
}
