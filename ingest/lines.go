package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxLine is the longest line of a manifest in bytes, and the longest row.
const maxLine = maxItemJSON

// line is one line of a file, without its end.
type line struct {
	number int   // from 1
	offset int64 // of its first byte
	size   int64
	text   []byte // without spaces around it; valid until the next one
	long   bool   // it is longer than limit, and text is not all of it
}

// eachLine yields a stream's lines that are not blank, and holds one at a time.
func eachLine(r io.Reader, limit int) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var offset int64
		var text []byte
		for number := 1; ; number++ {
			text = text[:0]
			l := line{number: number, offset: offset}
			var err error
			for {
				var part []byte
				part, err = in.ReadSlice('\n')
				offset += int64(len(part))
				if len(text) <= limit {
					text = append(text, part...)
				}
				if !errors.Is(err, bufio.ErrBufferFull) {
					break
				}
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(l, err)
				return
			}
			l.size = offset - l.offset
			l.text, l.long = bytes.TrimSpace(text), len(text) > limit
			if number == 1 {
				l.text = bytes.TrimPrefix(l.text, []byte("\ufeff"))
			}
			if (l.long || len(l.text) > 0) && !yield(l, nil) || err != nil {
				return
			}
		}
	}
}

// lines yields the lines of a manifest, without looking into them.
func (s *source) lines(ctx context.Context, key string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		r, err := s.reader(ctx, key, 0)
		if err != nil {
			yield(entry{}, err)
			return
		}
		defer func() { _ = r.Close() }() // it was only read
		header := s.movies != nil && s.movies.style == csvStyle
		for l, err := range eachLine(r, maxLine) {
			if header && l.number == 1 {
				continue
			}
			e := entry{Key: key, Line: l.number, Offset: l.offset, Size: l.size}
			if l.long {
				e.Cause, e.Detail = "syntax", fmt.Sprintf("the line has %d bytes, %d allowed", l.size, maxLine)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// texts yields the bytes that entries of one file point at, in their order.
// The file is opened once: entries of a batch lie side by side.
func (s *source) texts(ctx context.Context, entries []entry) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var r io.ReadCloser
		var key string
		var at int64
		defer func() {
			if r != nil {
				_ = r.Close() // it was only read
			}
		}()
		for _, e := range entries {
			var text []byte
			var err error
			if r == nil || e.Key != key || e.Offset < at {
				if r != nil {
					_ = r.Close() // it was only read
				}
				r, err = s.reader(ctx, e.Key, e.Offset)
				key, at = e.Key, e.Offset
			}
			if err == nil {
				err = discard(r, e.Offset-at)
			}
			if err == nil {
				text = make([]byte, e.Size)
				_, err = io.ReadFull(r, text)
			}
			at = e.Offset + e.Size
			if err != nil {
				err = fmt.Errorf("%s: line %d: %w", e.Key, e.Line, err)
			}
			if !yield(bytes.TrimPrefix(text, []byte("\ufeff")), err) || err != nil {
				return
			}
		}
	}
}
