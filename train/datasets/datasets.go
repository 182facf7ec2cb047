// Package datasets reads public logs of behaviour and what is known of their
// items. A data set is a folder of files as its makers or mirrors hand them
// out; none is part of this project. What does not fit the format is an
// ErrInvalid that names file and line, a file that is not there an ErrNotFound.
package datasets

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"upnext"
	"upnext/learn"
)

// longestLine is more than any line of these sets has, in bytes.
const longestLine = 4 << 20

// Open opens a data set's file in dir, or in the data set's folder below dir.
func Open(dir, set, name string) (*os.File, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		file, err = os.Open(filepath.Join(dir, set, name))
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: neither %s nor %s there: %w", dir, name, filepath.Join(set, name), upnext.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", err, upnext.ErrUnavailable)
	}
	return file, nil
}

// line is one of a file, to be read and to be complained of.
type line struct {
	text string
	file string
	n    int // from 1
}

// wrong says what is wrong with the line.
func (l line) wrong(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %w", l.file, l.n, fmt.Sprintf(format, args...), upnext.ErrInvalid)
}

// number reads a whole number of the line that is at least least.
func (l line) number(field string, least int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(field))
	if err != nil || n < least || n > 1<<31-1 {
		return 0, l.wrong("%.40q is no whole number from %d", field, least)
	}
	return n, nil
}

// numbers reads several, separated by spaces.
func (l line) numbers(text string, least int) ([]int, error) {
	fields := strings.Fields(text)
	out := make([]int, len(fields))
	for i, f := range fields {
		n, err := l.number(f, least)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// lines reads a text file, unzipped where its name ends in .gz. An error ends
// them.
func lines(dir, set, name string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		file, err := Open(dir, set, name)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer file.Close()
		var text io.Reader = bufio.NewReader(file)
		if strings.HasSuffix(name, ".gz") {
			if text, err = gzip.NewReader(text); err != nil {
				yield(line{}, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid))
				return
			}
		}
		scanner, at := bufio.NewScanner(text), line{file: file.Name()}
		scanner.Buffer(nil, longestLine)
		for scanner.Scan() {
			at.n++
			if at.text = scanner.Text(); !yield(at, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(line{}, fmt.Errorf("%s:%d: %w: %w", file.Name(), at.n+1, err, upnext.ErrInvalid))
		}
	}
}

// Set is a log with the names of its items.
type Set struct {
	Log learn.Log
	IDs []int // of the files, by item: ascending, so that order by number is order by id
}

// numbered makes a log of histories of ids.
func numbered(histories [][]int, at [][]int64) (Set, error) {
	var ids []int
	for _, h := range histories {
		ids = append(ids, h...)
	}
	slices.Sort(ids)
	set := Set{IDs: slices.Compact(ids)}
	set.Log = learn.Log{Items: len(set.IDs), Viewers: make([]learn.History, len(histories))}
	for v, h := range histories {
		set.Log.Viewers[v].Items = make([]int32, len(h))
		for i, id := range h {
			set.Log.Viewers[v].Items[i], _ = set.Number(id)
		}
		if at != nil {
			set.Log.Viewers[v].At = at[v]
		}
	}
	return set, set.Log.Check()
}

// Number is the item of that id.
func (s Set) Number(id int) (int32, bool) {
	n, ok := slices.BinarySearch(s.IDs, id)
	return int32(n), ok
}
