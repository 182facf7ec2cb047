package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep JSON may be nested: the deepest body of the API has 6.
const maxDepth = 64

// wellFormed checks that data is one JSON value (RFC 8259, and of it the
// interoperable part, RFC 7493): names once in an object, UTF-8 that is valid,
// no more than maxDepth levels. encoding/json would let the last of two names
// win and make one id of all that are not UTF-8. Its error is a Problem, 400.
func wellFormed(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data)) // of whole bytes: nothing is copied
	for {
		_, err := d.ReadToken()
		if errors.Is(err, io.EOF) && d.StackDepth() == 0 && d.InputOffset() > 0 {
			return nil
		}
		if err != nil {
			return malformed(err)
		}
		if d.StackDepth() > maxDepth {
			return malformed(fmt.Errorf("nested deeper than %d levels", maxDepth))
		}
		if d.StackDepth() == 0 && len(bytes.TrimLeft(data[d.InputOffset():], " \t\r\n")) > 0 {
			return malformed(errors.New("more than one JSON value"))
		}
	}
}

func malformed(err error) *Problem {
	p := newProblem(http.StatusBadRequest, "the body is not JSON as it should be: "+err.Error())
	one := ProblemError{Code: "malformed", Detail: err.Error()}
	if where := new(jsontext.SyntacticError); errors.As(err, &where) {
		one.Pointer = string(where.JSONPointer)
		one.Detail = fmt.Sprintf("byte %d: %v", where.ByteOffset, where.Err)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			one.Detail = fmt.Sprintf("byte %d: it ends in the middle", where.ByteOffset)
		}
		p.Detail = "the body is not JSON as it should be: " + one.Detail
	}
	p.Errors = []ProblemError{one}
	return p
}
