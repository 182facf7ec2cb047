// Package archive keeps what happened for training: events and slates as
// Parquet in the object store, readable by whatever reads Parquet.
//
//	TENANT/archive/events/day=2026-11-25/user_hash=p7/part-FIRST-LAST.parquet
//	TENANT/archive/slates/day=…/user_hash=…/part-FIRST-LAST.parquet
//	TENANT/archive/_state/…    how far it has come; no reader of a data set looks there
//
// The day is that of acceptance in UTC (events) or of the answer (slates); the
// user_hash is the beginning of the viewer's pseudonym. FIRST and LAST are the
// range of Seq that the file was made from, so a row is there once however
// often its batch was written. Within a file rows are ordered by viewer, then
// seq. The types Event and Slate are the columns.
//
// No viewer's id is kept, and none of their words: a viewer is a keyed
// pseudonym of the tenant, so are sessions, followed users and search queries
// (equal ones are still equal); the text of comments, the event's own id and
// its signed token are left out; of the platform's free context only the keys
// that the settings name are kept.
package archive
