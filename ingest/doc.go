// Package ingest makes objects into searchable items: a bucket's objects or
// the API's bodies become catalogued, embedded, understood and indexed.
// Pipeline does it for items at hand, Importer for a whole source, in jobs
// that survive a crash.
package ingest
