package rivals

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"upnext"
)

// Record is one record of a file: its members, by the names that the file
// gives them.
type Record struct {
	Place  string // "items.csv, line 7"
	Fields map[string]any
}

// endings are how the name of a file of records may end.
var endings = []string{".csv", ".json", ".jsonl", ".ndjson", ".csv.gz", ".json.gz", ".jsonl.gz", ".ndjson.gz"}

// Find returns the file of a folder that has one of the names, whatever its
// ending; empty where there is none. Two are an ErrInvalid.
func Find(folder string, names ...string) (string, error) {
	var found []string
	for _, name := range names {
		for _, end := range endings {
			path := filepath.Join(folder, name+end)
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				found = append(found, path)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s: several files say the same: %s: %w", folder, strings.Join(found, ", "), upnext.ErrInvalid)
}

// Records yields the records of a CSV file with a header, of a JSON array, or
// of one JSON object a line; holding one at a time. A broken record of CSV or
// of lines has an error of its own kind, ErrInvalid, beside its place; after
// another error it ends.
func Records(ctx context.Context, path string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		name := filepath.Base(path)
		f, err := os.Open(path)
		if err != nil {
			yield(Record{Place: name}, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		var in io.Reader = f
		if rest, packed := strings.CutSuffix(path, ".gz"); packed {
			z, err := gzip.NewReader(f)
			if err != nil {
				yield(Record{Place: name}, fmt.Errorf("%s: %v: %w", name, err, errBroken))
				return
			}
			in, path = z, rest
		}
		read := jsonRecords
		if filepath.Ext(path) == ".csv" {
			read = csvRecords
		}
		read(name, bufio.NewReaderSize(in, 64<<10), func(r Record, err error) bool {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return yield(r, err) && ctx.Err() == nil
		})
	}
}

// errBroken says that nothing can be read behind an error.
var errBroken = fmt.Errorf("the rest cannot be read: %w", upnext.ErrUnavailable)

// Fatal says whether an error of Records ends them.
func Fatal(err error) bool {
	return err != nil && (!errors.Is(err, upnext.ErrInvalid) || errors.Is(err, errBroken))
}

func csvRecords(name string, in *bufio.Reader, yield func(Record, error) bool) {
	if bom, err := in.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = in.Discard(3) // just peeked at
	}
	rows := csv.NewReader(in)
	rows.LazyQuotes = true
	header, err := rows.Read()
	if err != nil {
		yield(Record{Place: name}, fmt.Errorf("%s: header: %v: %w", name, err, errBroken))
		return
	}
	header = append([]string(nil), header...)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		line, _ := rows.FieldPos(0)
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			line, err = syntax.Line, fmt.Errorf("%v: %w", syntax.Err, upnext.ErrInvalid)
		case err != nil:
			yield(Record{Place: name}, fmt.Errorf("%s: %v: %w", name, err, errBroken))
			return
		case len(row) != len(header):
			err = fmt.Errorf("%d columns, the header has %d: %w", len(row), len(header), upnext.ErrInvalid)
		}
		r := Record{Place: fmt.Sprintf("%s, line %d", name, line), Fields: map[string]any{}}
		for i, v := range row {
			if i < len(header) && v != "" {
				r.Fields[strings.TrimSpace(header[i])] = v
			}
		}
		if !yield(r, err) {
			return
		}
	}
}

func jsonRecords(name string, in *bufio.Reader, yield func(Record, error) bool) {
	dec := json.NewDecoder(in)
	fail := func(n int, err error) {
		yield(Record{Place: name}, fmt.Errorf("%s: record %d, byte %d: %v: %w", name, n, dec.InputOffset(), err, errBroken))
	}
	var array bool
	for {
		b, err := in.Peek(1)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(0, err)
			return
		}
		if b[0] > ' ' {
			array = b[0] == '['
			break
		}
		_, _ = in.Discard(1) // just peeked at
	}
	if array {
		if _, err := dec.Token(); err != nil {
			fail(0, err)
			return
		}
	}
	for n := 1; ; n++ {
		if array && !dec.More() {
			if _, err := dec.Token(); err != nil { // the bracket at the end
				fail(n, err)
			}
			return
		}
		var v any
		err := dec.Decode(&v)
		if !array && errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(n, err)
			return
		}
		r := Record{Place: fmt.Sprintf("%s, record %d", name, n)}
		var ok bool
		if r.Fields, ok = v.(map[string]any); !ok {
			err = fmt.Errorf("not a JSON object: %w", upnext.ErrInvalid)
		}
		if !yield(r, err) {
			return
		}
	}
}

// Field is the first of the names that the record has.
func (r Record) Field(names ...string) any {
	for _, n := range names {
		if v := r.Fields[n]; v != nil {
			return v
		}
	}
	return nil
}
