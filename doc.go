// Package upnext holds the nouns of the recommendation backend (Item, Event,
// Viewer, Request, Slate), the stores that keep them and the errors. It
// imports the standard library only; every other package may import it.
//
// Nouns are plain values. They carry no encoding: the HTTP bodies are types of
// serve/api, the rows are types of infra/sqlstore.
package upnext
