package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"upnext"
	"upnext/filter"
)

// locate says where an invalid body is wrong. What names no field is about the
// whole.
func locate(err error) ProblemError {
	one := ProblemError{Code: "invalid", Detail: err.Error()}
	var field *upnext.FieldError
	if errors.As(err, &field) {
		one.Detail = field.Detail
		if field.Field != "" {
			one.Pointer = "/" + field.Field
		}
	}
	var expr *filter.Error
	if errors.As(err, &expr) {
		one.Code, one.Detail, one.Column = "expression", expr.Detail, expr.Column
	}
	return one
}

// pointed is a Problem at one place.
func pointed(status int, pointer, detail string) *Problem {
	p := newProblem(status, detail)
	p.Errors = []ProblemError{{Pointer: pointer, Code: p.Code, Detail: detail}}
	return p
}

// parameter is the Problem of a parameter's value: "query.cursor", "path.id".
func parameter(name, format string, args ...any) *Problem {
	p := pointed(http.StatusUnprocessableEntity, name, fmt.Sprintf(format, args...))
	p.Detail = name + ": " + p.Detail
	return p
}

// of makes an invalid value's error one of the parameter that it came in.
func of(name string, err error) error {
	if !errors.Is(err, upnext.ErrInvalid) {
		return err
	}
	where := locate(err)
	where.Pointer = name
	p := newProblem(http.StatusUnprocessableEntity, name+": "+where.Detail)
	p.Errors = []ProblemError{where}
	return p
}

// under moves what is wrong with a record to where the record is in the body.
func (p *Problem) under(pointer string) *Problem {
	if pointer == "" {
		return p
	}
	moved := *p // p may be told of several records
	moved.Errors = slices.Clone(p.Errors)
	for i := range moved.Errors {
		moved.Errors[i].Pointer = pointer + moved.Errors[i].Pointer
	}
	return &moved
}
