package upnext

import (
	"fmt"
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

// checkID reports as ErrInvalid what makes id unusable: ids are the caller's
// strings of 1 to 256 bytes of UTF-8 without control characters; a slash is fine.
func checkID(what, id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%s: empty: %w", what, ErrInvalid)
	case len(id) > MaxID:
		return fmt.Errorf("%s: %d bytes, %d allowed: %w", what, len(id), MaxID, ErrInvalid)
	case !utf8.ValidString(id):
		return fmt.Errorf("%s: not UTF-8: %w", what, ErrInvalid)
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("%s: control character %U: %w", what, r, ErrInvalid)
		}
	}
	return nil
}
