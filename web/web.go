// Package web holds the console: hand-written pages that the binary carries,
// with no build step and nothing fetched from elsewhere. They speak to the
// server through its public API alone.
package web

import (
	"embed"
	"io/fs"
)

//go:embed static
var files embed.FS

// Pages returns the console's files: index.html, docs.html and the folders
// that they refer to, by paths from the site's root.
func Pages() fs.FS {
	pages, err := fs.Sub(files, "static")
	if err != nil {
		panic("web: " + err.Error()) // the name is a constant and valid
	}
	return pages
}
