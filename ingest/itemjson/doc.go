// Package itemjson is the JSON of an item, in one place: of item.json and of a
// manifest's lines in a bucket, and of the bodies that the API takes. Its
// field names are those of the API's documentation.
package itemjson
