package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"upnext"
)

// record is one JSON object of a bulk body.
type record struct {
	Index int // from 0
	Line  int // of NDJSON, from 1; else 0
	JSON  json.RawMessage
	Under string // JSON pointer to it in the body: "/3" in an array, else empty
	Fatal bool   // with an error: nothing can be read after it
}

// records yields the objects of a body: one, an array, or NDJSON (by content
// type), holding one at a time. A broken line of NDJSON is an error for that
// line and the next goes on; a broken array ends. No record may be longer
// than limit bytes.
func records(r io.Reader, contentType string, limit int) iter.Seq2[record, error] {
	if contentType == "application/x-ndjson" || contentType == "application/ndjson" || contentType == "application/jsonl" {
		return lines(r, limit)
	}
	return array(r, limit, false)
}

func lines(r io.Reader, limit int) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		index := 0
		for line := 1; ; line++ {
			text, long, err := readLine(in, limit)
			rec := record{Index: index, Line: line, JSON: text}
			if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 || long {
				index++
				var bad error
				switch {
				case long:
					bad = fmt.Errorf("line %d: longer than %d bytes: %w", line, limit, upnext.ErrInvalid)
				case trimmed[0] != '{' || !json.Valid(trimmed):
					bad = fmt.Errorf("line %d: %s: %w", line, syntaxError(trimmed), upnext.ErrInvalid)
				default:
					bad = wellFormed(trimmed)
				}
				if !yield(rec, bad) {
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					rec.Fatal = true
					if errors.Is(err, io.ErrUnexpectedEOF) { // who sent it has gone
						err = errors.Join(err, upnext.ErrInvalid)
					}
					yield(rec, fmt.Errorf("line %d: the body broke off: %w", line, err))
				}
				return
			}
		}
	}
}

// readLine reads up to the next newline. A line over limit is read to its end
// and dropped.
func readLine(in *bufio.Reader, limit int) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > limit {
			line, long = nil, true
		}
		if !long {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// syntaxError says what is wrong with a line that is not a JSON object.
func syntaxError(line []byte) string {
	var v map[string]json.RawMessage
	err := json.Unmarshal(line, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("not JSON at column %d: %v", syntax.Offset, err)
	}
	return "not a JSON object"
}

// array yields the records of an array, or one object; with several, objects
// may follow each other.
func array(r io.Reader, limit int, several bool) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		bounded := &boundedReader{r: r}
		bounded.allow(limit)
		var dec *json.Decoder
		under := func(int) string { return "" }
		fatal := func(i int, err error) {
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("record %d, byte %d: %v: %w", i, dec.InputOffset(), err, upnext.ErrInvalid)
			}
			yield(record{Index: i, Under: under(i), Fatal: true}, err)
		}
		first, err := firstByte(bounded)
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the body is empty: %w", upnext.ErrInvalid)
		}
		if err != nil {
			fatal(0, err)
			return
		}
		dec = json.NewDecoder(io.MultiReader(bytes.NewReader([]byte{first}), bounded))
		if first != '[' {
			if several {
				objects(dec, bounded, limit, fatal, yield)
				return
			}
			var one json.RawMessage
			if err := dec.Decode(&one); err != nil {
				fatal(0, err)
				return
			}
			if _, err := dec.Token(); !errors.Is(err, io.EOF) {
				fatal(0, fmt.Errorf("more after the first object; several go in an array, or as application/x-ndjson: %w", upnext.ErrInvalid))
				return
			}
			yieldObject(yield, record{JSON: one})
			return
		}
		_, _ = dec.Token() // the bracket just seen
		under = func(i int) string { return "/" + strconv.Itoa(i) }
		i := 0
		for ; dec.More(); i++ {
			bounded.allow(limit)
			var one json.RawMessage
			if err := dec.Decode(&one); err != nil {
				fatal(i, err)
				return
			}
			if !yieldObject(yield, record{Index: i, Under: under(i), JSON: one}) {
				return
			}
		}
		if _, err := dec.Token(); err != nil {
			fatal(i, err)
		}
	}
}

// objects yields objects that follow each other, one a line or not.
func objects(dec *json.Decoder, bounded *boundedReader, limit int, fatal func(int, error), yield func(record, error) bool) {
	for i := 0; ; i++ {
		bounded.allow(limit)
		var one json.RawMessage
		err := dec.Decode(&one)
		if i > 0 && errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fatal(i, err)
			return
		}
		if !yieldObject(yield, record{Index: i, JSON: one}) {
			return
		}
	}
}

func yieldObject(yield func(record, error) bool, r record) bool {
	if len(r.JSON) == 0 || r.JSON[0] != '{' {
		return yield(r, fmt.Errorf("record %d: not a JSON object: %w", r.Index, upnext.ErrInvalid))
	}
	return yield(r, wellFormed(r.JSON))
}

// firstByte reads up to the first byte that is not white space.
func firstByte(r io.Reader) (byte, error) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return 0, err
		}
		if b[0] > ' ' {
			return b[0], nil
		}
	}
}

// boundedReader fails once more has been read than was allowed, so that a
// decoder cannot gather one endless record.
type boundedReader struct {
	r    io.Reader
	left int
}

func (c *boundedReader) allow(n int) { c.left = n + 64<<10 }

func (c *boundedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("one record is too long: %w", upnext.ErrInvalid)
	}
	n, err := c.r.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// bulkOperation describes a raw bulk route of objects of type one.
func (a *api) bulkOperation(id, path, tag, summary string, status int, one, answer reflect.Type, says string, params []*huma.Param) *huma.Operation {
	known := a.huma.OpenAPI().Components.Schemas
	schema, answered, problem := known.Schema(one, true, ""), known.Schema(answer, true, ""), known.Schema(typeOf[Problem](), true, "")
	many := &huma.Schema{OneOf: []*huma.Schema{schema, {Type: huma.TypeArray, Items: schema}}}
	return &huma.Operation{
		OperationID: id, Method: "POST", Path: path, Summary: summary, Tags: []string{tag}, Parameters: append(params, onceParam()),
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json":     {Schema: many},
			"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString, Description: "One JSON object a line, as the single object of application/json."}},
		}},
		Responses: map[string]*huma.Response{
			strconv.Itoa(status): {Description: says, Content: map[string]*huma.MediaType{"application/json": {Schema: answered}}},
			"422": {Description: "Nothing could be taken: a problem, or every reason.", Content: map[string]*huma.MediaType{
				"application/json": {Schema: answered}, "application/problem+json": {Schema: problem},
			}},
			"default": {Description: "Error", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}},
		},
	}
}
