package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"upnext"
	"upnext/infra/blob"
)

// record is what every row has, of whichever data set it is.
type record interface {
	sequence() int64
	pseudonym() string
	day() time.Time
	bytes() int
}

// rowGroup is how many rows are held together in a file. They are sorted by
// viewer, so a reader who wants one looks into few groups.
const rowGroup = 20_000

// part is one file's name: a day, the beginning of the pseudonyms in it and
// the range of Seq that it was made from.
type part struct {
	tenant      upnext.Tenant
	set         string // "events" or "slates"
	day, hash   string
	first, last int64
}

func root(t upnext.Tenant) string { return string(t) + "/archive/" }

// dayOf is the day as partitions are named.
func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func (p part) key() string {
	return fmt.Sprintf("%s%s/day=%s/user_hash=%s/part-%019d-%019d.parquet", root(p.tenant), p.set, p.day, p.hash, p.first, p.last)
}

// parsePart is the inverse of key; false for a key that is none of ours.
func parsePart(t upnext.Tenant, set, key string) (part, bool) {
	elements := strings.Split(strings.TrimPrefix(key, root(t)+set+"/"), "/")
	if len(elements) != 3 {
		return part{}, false
	}
	p := part{tenant: t, set: set}
	p.day = strings.TrimPrefix(elements[0], "day=")
	p.hash = strings.TrimPrefix(elements[1], "user_hash=")
	if _, err := fmt.Sscanf(elements[2], "part-%d-%d.parquet", &p.first, &p.last); err != nil {
		return part{}, false
	}
	return p, p.key() == key
}

// parts yields a data set's files from a day on, by day.
func parts(ctx context.Context, blobs blob.Store, t upnext.Tenant, set, from string) iter.Seq2[part, error] {
	return func(yield func(part, error) bool) {
		prefix, after := root(t)+set+"/", ""
		if from != "" {
			after = prefix + "day=" + from
		}
		for info, err := range blobs.List(ctx, prefix, after) {
			if err != nil {
				yield(part{}, err)
				return
			}
			if p, ok := parsePart(t, set, info.Key); ok && !yield(p, nil) {
				return
			}
		}
	}
}

// writePart writes a file whole, replacing what was there. The rows must come
// in order.
func writePart[R record](ctx context.Context, blobs blob.Store, p part, rows []R) (int64, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[R](&b,
		parquet.Compression(&parquet.Zstd), parquet.CreatedBy("upnext", "1", ""), parquet.DataPageStatistics(true),
		parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("viewer"), parquet.Ascending("seq"))))
	for chunk := range slices.Chunk(rows, rowGroup) {
		if _, err := w.Write(chunk); err != nil {
			return 0, errors.Join(fmt.Errorf("encode %s: %w", p.key(), err), w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return 0, fmt.Errorf("encode %s: %w", p.key(), err)
	}
	info, err := blobs.Put(ctx, p.key(), &b)
	return info.Size, err
}

// maxPart bounds what is read of one file; ours are far smaller.
const maxPart = 1 << 30

// readPart yields a file's rows in order. The file lies in memory meanwhile.
func readPart[R record](ctx context.Context, blobs blob.Store, p part) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		fail := func(err error) { yield(none, fmt.Errorf("read %s: %w", p.key(), err)) }
		b, err := read(ctx, blobs, p.key(), maxPart)
		if err != nil {
			fail(err)
			return
		}
		file, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			fail(err)
			return
		}
		r := parquet.NewGenericReader[R](file)
		defer func() { _ = r.Close() }() // reads memory
		for {
			page := make([]R, min(512, file.NumRows()+1)) // new ones: the reader fills maps and lists that a row has
			n, err := r.Read(page)
			for _, row := range page[:n] {
				if !yield(row, nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				fail(err)
				return
			}
		}
	}
}

// read returns an object's bytes.
func read(ctx context.Context, blobs blob.Store, key string, most int64) ([]byte, error) {
	r, info, err := blobs.Open(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // everything was read, or the reason is told
	if info.Size > most {
		return nil, fmt.Errorf("%s: %d bytes, %d allowed: %w", path.Base(key), info.Size, most, upnext.ErrInvalid)
	}
	return io.ReadAll(r)
}

// sortRows puts rows into the order that files have.
func sortRows[R record](rows []R) {
	slices.SortFunc(rows, func(a, b R) int {
		return cmp.Or(cmp.Compare(a.pseudonym(), b.pseudonym()), cmp.Compare(a.sequence(), b.sequence()))
	})
}
