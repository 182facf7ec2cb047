package api

import (
	"context"
	"regexp"
)

// traceparent is the header of W3C Trace Context: version, trace, parent, flags.
var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$`)

const noTrace, noSpan = "00000000000000000000000000000000", "0000000000000000"

// traceOf returns the trace that a request belongs to. A header that is not as
// the standard wants it is as good as none. Versions to come may be longer; they
// are not read.
func traceOf(header string) (trace string, ok bool) {
	parts := traceparent.FindStringSubmatch(header)
	if parts == nil || parts[1] == "ff" || parts[2] == noTrace || parts[3] == noSpan {
		return "", false
	}
	return parts[2], true
}

// about are the attributes that find a request's line in the log.
func about(ctx context.Context) []any {
	out := []any{"request_id", requestID(ctx)}
	if trace, ok := ctx.Value(traceKey).(string); ok {
		out = append(out, "trace_id", trace)
	}
	return out
}
