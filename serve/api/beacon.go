package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// takeKey takes the key out of the URL of a beacon: navigator.sendBeacon can
// set no header. It is looked for where events are sent and nowhere else, and
// nobody who comes later, a log among them, sees it.
func takeKey(r *http.Request) string {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/events" || r.URL.RawQuery == "" {
		return ""
	}
	query := r.URL.Query()
	key := query.Get("key")
	query.Del("key")
	r.URL.RawQuery = query.Encode()
	r.RequestURI = r.URL.RequestURI()
	return key
}

// plainKind says whether a body comes as a beacon's does, without a type that
// tells what it is: a string is text/plain, a Blob may have no type at all.
func plainKind(contentType string) bool { return contentType == "" || contentType == "text/plain" }

// beaconKey describes the key in the URL.
func beaconKey() *huma.Param {
	return &huma.Param{
		Name: "key", In: "query", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "A publishable key, for navigator.sendBeacon, which can set no header. The body may then be text/plain: an object, an array, or one object a line.",
	}
}
