package datasets

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"upnext"
)

// row is some columns of one row of a sheet.
type row struct {
	values []string // in the order in which they were asked for
	file   string
	line   int
}

// fail names the place.
func (r row) fail(what string, value any) error {
	return fmt.Errorf("%s:%d: %s %q: %w", r.file, r.line, what, value, upnext.ErrInvalid)
}

// sheet reads the columns of these heads of a gzipped CSV file, whose first line
// has the heads. An error ends the rows.
func sheet(dir, set, name string, heads ...string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		file, err := Open(dir, set, name)
		if err != nil {
			yield(row{}, err)
			return
		}
		defer file.Close()
		fail := func(err error) { yield(row{}, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)) }
		text, err := gzip.NewReader(file)
		if err != nil {
			fail(err)
			return
		}
		all := csv.NewReader(text)
		first, err := all.Read()
		if err != nil {
			fail(err)
			return
		}
		at := make([]int, len(heads))
		for i, head := range heads {
			if at[i] = slices.Index(first, head); at[i] < 0 {
				fail(fmt.Errorf("line 1: want %q, got %q", heads, first))
				return
			}
		}
		for {
			fields, err := all.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				fail(err)
				return
			}
			r := row{values: make([]string, len(heads)), file: file.Name()}
			r.line, _ = all.FieldPos(0)
			for i, k := range at {
				r.values[i] = fields[k]
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}
