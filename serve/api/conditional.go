package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Conditions are the conditional headers of RFC 9110, section 13.
type Conditions struct {
	IfMatch     string `header:"If-Match" doc:"An ETag that was read, or *: the write is refused with 412 if it is not so any more."`
	IfNoneMatch string `header:"If-None-Match" doc:"Reading: 304 if it still has this ETag. Writing: * refuses with 412 what is there already."`
}

// given says whether there is a condition at all.
func (c Conditions) given() bool { return c.IfMatch != "" || c.IfNoneMatch != "" }

// known says of a read whether the caller has this state already.
func (c Conditions) known(etag string) bool {
	return c.IfNoneMatch != "" && names(c.IfNoneMatch, etag, true)
}

// met says of a write whether what is there allows it; an empty etag is nothing there. Its error is a Problem, 412.
func (c Conditions) met(etag string) error {
	switch {
	case c.IfMatch != "" && !names(c.IfMatch, etag, false):
		return unmet("If-Match", etag)
	case c.IfNoneMatch != "" && names(c.IfNoneMatch, etag, true):
		return unmet("If-None-Match", etag)
	}
	return nil
}

func unmet(header, etag string) *Problem {
	stands := "it has the ETag " + etag + " now"
	if etag == "" {
		stands = "it is not there"
	}
	p := pointed(http.StatusPreconditionFailed, "header."+header, stands)
	p.Detail = header + ": " + stands
	return p
}

// names says whether a list of ETags, or *, names one. A weak one is as good
// where nothing is overwritten (RFC 9110, 8.8.3.2). The ETags of ours hold no comma.
func names(list, etag string, weak bool) bool {
	if etag == "" {
		return false
	}
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if weak {
			one = strings.TrimPrefix(one, "W/")
		}
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

// versionTag is the ETag of an item: every change gives it another version.
func versionTag(version int64) string {
	if version == 0 {
		return ""
	}
	return `"v` + strconv.FormatInt(version, 10) + `"`
}

// contentTag is the ETag of what has no version: by its content.
func contentTag(body any) string {
	raw, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}
