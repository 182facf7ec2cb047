package endpoint

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"upnext"
)

// StatusError is an answer that is not a success. It wraps ErrInvalid where the
// server refuses the inputs and ErrUnavailable otherwise: a wrong key or address
// is for the operator to mend, and no fault of the items that wait meanwhile.
type StatusError struct {
	URL        string // without secrets
	Code       int
	Message    string        // the server's own words, shortened
	RetryAfter time.Duration // how long the server asks to be left alone; 0 where it does not
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.URL, e.Code, http.StatusText(e.Code), e.Message)
}

// Unwrap gives the kind of failure to errors.Is.
func (e *StatusError) Unwrap() error {
	if e.refusal() {
		return upnext.ErrInvalid
	}
	return upnext.ErrUnavailable
}

// refusal says that the inputs may be at fault: one too long, too large or not
// readable. TEI answers 413 to a text beyond its length and 422 to one that it
// cannot cut into tokens; OpenAI, vLLM and infinity answer 400.
func (e *StatusError) refusal() bool {
	return e.Code == http.StatusBadRequest || e.Code == http.StatusRequestEntityTooLarge || e.Code == http.StatusUnprocessableEntity
}

// passing says that the same request may succeed later or elsewhere.
func (e *StatusError) passing() bool {
	return e.Code >= 500 || e.Code == http.StatusTooManyRequests || e.Code == http.StatusRequestTimeout ||
		e.Code == http.StatusTooEarly || e.Code == http.StatusFailedDependency // TEI's word for a failure of the model
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, 86_400) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Shown is an address as it may be logged: without user, password and query.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// words shortens what a server says to one line.
func words(body []byte) string {
	const most = 300
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "�")), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	if text == "" {
		return "no message"
	}
	return text
}
