package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"upnext"
	"upnext/ingest/eventjson"
)

type exportCommand struct {
	What   string `arg:"" help:"items, events, slates or viewers." enum:"items,events,slates,viewers"`
	Out    string `help:"File to write; it appears when it is whole. Default: the standard output." type:"path" placeholder:"FILE"`
	Tenant string `help:"Whose; default, where none is named." placeholder:"TENANT"`
	After  string `help:"Only what follows: the next_after that a former export reported." placeholder:"PLACE"`
	Format string `help:"ndjson, in the shapes that the API and ingest take; of events also parquet." enum:"ndjson,parquet" default:"ndjson"`
}

// nextAfter is the trailer of a whole export.
const nextAfter = "Upnext-Next-After"

// Run exports from the data directory, or through the server that has it open.
func (c *exportCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	if c.Format == "parquet" && (c.What != "events" || c.Out == "") {
		return fmt.Errorf("--format parquet: of events, and to a file (--out): %w", upnext.ErrInvalid)
	}
	from, err := borrow(ctx, s, out, c.Tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	resp, err := from.send(ctx, http.MethodGet, "/v1/export/"+c.What+"?after="+url.QueryEscape(c.After), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return refusal(http.MethodGet, "/v1/export/"+c.What, resp.Status, raw)
	}
	write := copyLines
	if c.Format == "parquet" {
		write = writeParquet
	}
	var lines int
	if c.Out == "" {
		lines, err = write(out.out, resp.Body)
	} else {
		err = replaceFile(c.Out, func(w io.Writer) (err error) {
			if lines, err = write(w, resp.Body); err == nil {
				err = whole(resp)
			}
			return err
		})
	}
	if err == nil {
		err = whole(resp)
	}
	if err != nil {
		return fmt.Errorf("export %s: after %d lines: %w", c.What, lines, err)
	}
	next := resp.Header.Get(nextAfter) + resp.Trailer.Get(nextAfter)
	if s.JSON && c.Out != "" {
		return json.NewEncoder(out.out).Encode(map[string]any{"lines": lines, "next_after": next})
	}
	printf(out.err, "%d %s; what comes later: --after %q\n", lines, c.What, next)
	return nil
}

// whole says whether an export that has been read did not break off.
func whole(resp *http.Response) error {
	if resp.Header.Values(nextAfter) == nil && resp.Trailer.Values(nextAfter) == nil {
		return fmt.Errorf("it broke off: %w", upnext.ErrUnavailable)
	}
	return nil
}

// replaceFile writes a file under another name and gives it its own when all
// of it is on the disk, so that a file of that name is never half of one.
func replaceFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// copyLines copies NDJSON and counts its lines.
func copyLines(w io.Writer, r io.Reader) (lines int, err error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if b == '\n' {
				lines++
			}
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return lines, err
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}

// parquetEvent is an event in the columns that ingest reads.
type parquetEvent struct {
	ID         string   `parquet:"id"`
	Kind       string   `parquet:"kind,dict"`
	At         int64    `parquet:"at,timestamp(microsecond)"`
	User       *string  `parquet:"user_id,optional"`
	Anonymous  *string  `parquet:"anonymous_id,optional"`
	Session    *string  `parquet:"session_id,optional"`
	Item       *string  `parquet:"item_id,optional"`
	Creator    *string  `parquet:"creator_id,optional"`
	Target     *string  `parquet:"target_user_id,optional"`
	Topic      *string  `parquet:"topic,optional"`
	Query      *string  `parquet:"query,optional"`
	Text       *string  `parquet:"text,optional"`
	Value      *float64 `parquet:"value,optional"`
	Amount     *float64 `parquet:"amount,optional"`
	Currency   *string  `parquet:"currency,optional"`
	Scope      *string  `parquet:"scope,optional"`
	Token      *string  `parquet:"token,optional"`
	Surface    *string  `parquet:"surface,optional"`
	Position   *int64   `parquet:"position,optional"`
	WatchedMS  *int64   `parquet:"watched_ms,optional"`
	PositionMS *int64   `parquet:"position_ms,optional"`
	DurationMS *int64   `parquet:"duration_ms,optional"`
	Context    *string  `parquet:"context,optional"`
}

// known is a pointer to v where it says something.
func known[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func parquetOf(e eventjson.Event) (parquetEvent, error) {
	p := parquetEvent{
		ID: e.ID, Kind: e.Kind, At: e.At.UnixMicro(), User: known(e.UserID), Anonymous: known(e.AnonymousID), Session: known(e.SessionID),
		Item: known(e.ItemID), Creator: known(e.CreatorID), Target: known(e.TargetUserID), Topic: known(e.Topic), Query: known(e.Query),
		Text: known(e.Text), Value: e.Value, Amount: known(e.Amount), Currency: known(e.Currency), Scope: known(e.Scope), Token: known(e.Token),
		Surface: known(e.Surface), Position: known(int64(e.Position)),
	}
	if w := e.Watch; w != nil {
		p.WatchedMS, p.PositionMS, p.DurationMS = &w.WatchedMS, known(w.PositionMS), known(w.DurationMS)
	}
	if len(e.Context) == 0 {
		return p, nil
	}
	raw, err := json.Marshal(e.Context)
	p.Context = known(string(raw))
	return p, err
}

// writeParquet writes NDJSON of events as Parquet, a row group at a time.
func writeParquet(w io.Writer, r io.Reader) (lines int, err error) {
	out := parquet.NewGenericWriter[parquetEvent](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(100_000))
	in := json.NewDecoder(bufio.NewReaderSize(r, 64<<10))
	rows := make([]parquetEvent, 0, 1000)
	for {
		var e eventjson.Event
		err := in.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		var row parquetEvent
		if err == nil {
			row, err = parquetOf(e)
		}
		if err != nil {
			return lines, err
		}
		lines++
		if rows = append(rows, row); len(rows) == cap(rows) {
			if _, err := out.Write(rows); err != nil {
				return lines, err
			}
			rows = rows[:0]
		}
	}
	if _, err := out.Write(rows); err != nil {
		return lines, err
	}
	return lines, out.Close()
}
