package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"upnext"
	"upnext/infra/blob"
)

// rowsAtOnce is how many rows of a Parquet file are held.
const rowsAtOnce = 256

// parquetFile is events as Parquet: a column a field of the JSON, flat, with
// watched_ms, position_ms and duration_ms for those of watch.
type parquetFile struct {
	from files
	name string
}

func (f parquetFile) key() string { return f.name }

// lines yields the rows behind a row. Whole row groups before it are not read.
func (f parquetFile) lines(ctx context.Context, after int) iter.Seq2[told, error] {
	return func(yield func(told, error) bool) {
		in, err := f.open(ctx)
		if err != nil {
			yield(told{}, err)
			return
		}
		columns, err := eventColumns(in.Root())
		if err != nil {
			yield(told{}, fmt.Errorf("%s: %w", f.name, err))
			return
		}
		first := 0
		for _, group := range in.RowGroups() {
			n := int(group.NumRows())
			if first+n > after && !f.group(ctx, group, columns, first, max(0, after-first), yield) {
				return
			}
			first += n
		}
	}
}

// group yields the rows of a group, from the skipped one on; false ends.
func (f parquetFile) group(ctx context.Context, group parquet.RowGroup, columns []eventColumn, first, skip int, yield func(told, error) bool) bool {
	rows := group.Rows()
	defer func() { _ = rows.Close() }() // they were only read
	fail := func(err error) bool {
		yield(told{}, f.fault(ctx, err))
		return false
	}
	if skip > 0 {
		if err := guarded(func() error { return rows.SeekToRow(int64(skip)) }); err != nil {
			return fail(err)
		}
	}
	buffer := make([]parquet.Row, rowsAtOnce)
	for number := first + skip + 1; ; {
		var n int
		err := guarded(func() (err error) {
			n, err = rows.ReadRows(buffer)
			return err
		})
		for _, row := range buffer[:n] {
			if !yield(f.parse(number, row, columns), nil) {
				return false
			}
			number++
		}
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return fail(err)
		}
	}
}

func (f parquetFile) parse(number int, row parquet.Row, columns []eventColumn) told {
	t := told{line: number, cause: "invalid"}
	var r eventRow
	for _, v := range row {
		if k := v.Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			t.size += len(v.ByteArray())
		}
		if v.IsNull() || v.Column() < 0 || v.Column() >= len(columns) {
			continue
		}
		c := columns[v.Column()]
		if err := c.set(&r, v); err != nil {
			t.problem = fmt.Sprintf("%s: %v", c.name, err)
			return t
		}
	}
	e, err := r.event()
	if err == nil {
		e, err = identified(e)
	}
	if t.event = e; err != nil {
		t.problem = err.Error()
	}
	return t
}

// open opens the file by its footer.
func (f parquetFile) open(ctx context.Context) (in *parquet.File, err error) {
	info, err := f.from.Stat(ctx, f.name)
	if err != nil {
		return nil, err
	}
	err = guarded(func() error {
		in, err = parquet.OpenFile(&ranged{ctx, f.from, info}, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
			parquet.ReadBufferSize(1<<20), parquet.FileReadMode(parquet.ReadModeSync))
		return err
	})
	if err != nil {
		return nil, f.fault(ctx, err)
	}
	return in, nil
}

// fault says whether an error is the file's or the store's.
func (f parquetFile) fault(ctx context.Context, err error) error {
	for _, known := range []error{upnext.ErrUnavailable, upnext.ErrConflict, upnext.ErrNotFound} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%s: %v: %w", f.name, err, upnext.ErrInvalid)
}

// guarded calls the library, which panics over some damaged files.
func guarded(call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("damaged: %v: %w", v, upnext.ErrInvalid)
		}
	}()
	return call()
}

// ranged reads one version of a file from anywhere in it.
type ranged struct {
	ctx  context.Context
	from files
	info blob.Info
}

// ReadAt implements io.ReaderAt.
func (f *ranged) ReadAt(p []byte, offset int64) (int, error) {
	r, info, err := f.from.Open(f.ctx, f.info.Key, offset)
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }() // it was only read
	if info.ETag != f.info.ETag {
		return 0, fmt.Errorf("%s: changed during the import: %w", f.info.Key, upnext.ErrConflict)
	}
	n, err := io.ReadFull(r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) && offset+int64(n) == f.info.Size {
		err = io.EOF
	}
	return n, err
}

// eventColumn is a column of the file and what it fills.
type eventColumn struct {
	name string
	set  func(*eventRow, parquet.Value) error
}

// eventColumns finds what each column fills. What an event must have, and what
// it cannot have, is an ErrInvalid that names it.
func eventColumns(root *parquet.Column) ([]eventColumn, error) {
	var all []eventColumn
	var walk func(c *parquet.Column, path []string) error
	walk = func(c *parquet.Column, path []string) error {
		name := strings.Join(path, ".")
		if c.Repeated() {
			return fmt.Errorf("column %s: is a list; an event's columns are flat: %w", name, upnext.ErrInvalid)
		}
		if !c.Leaf() {
			for _, below := range c.Columns() {
				if err := walk(below, append(slices.Clone(path), below.Name())); err != nil {
					return err
				}
			}
			return nil
		}
		set, err := setterOf(strings.TrimPrefix(name, "watch."), c.Type())
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		all = append(all, eventColumn{name, set})
		return nil
	}
	if err := walk(root, nil); err != nil {
		return nil, err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(c eventColumn) bool { return c.name == name })
	}
	switch {
	case !has("kind"):
		return nil, fmt.Errorf("there is no column kind: %w", upnext.ErrInvalid)
	case !has("at"):
		return nil, fmt.Errorf("there is no column at: %w", upnext.ErrInvalid)
	case !has("user_id") && !has("anonymous_id"):
		return nil, fmt.Errorf("there is no column user_id, nor anonymous_id: %w", upnext.ErrInvalid)
	}
	return all, nil
}

// whole is a number without a fraction that an int64 holds.
func wholeNumber(f float64) (int64, error) {
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("%g is not a whole number", f)
	}
	return int64(f), nil
}
