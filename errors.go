package upnext

import "errors"

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
