package gorse

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"upnext"
	"upnext/ingest/rivals"
)

// A dump is a row of little-endian int64: below zero they say what follows,
// above zero how long the next message is, zero ends it.
const (
	dumpEnd      = 0
	dumpUsers    = -1
	dumpItems    = -2
	dumpFeedback = -3
)

// errDump says that a file is something else.
var errDump = errors.New("not a dump of Gorse")

// maxMessage is the longest message of a dump in bytes.
const maxMessage = 64 << 20

// fromDump reads the file that gorse-cli dump writes.
func (r Reader) fromDump(ctx context.Context, to *rivals.Sink) error {
	f, err := os.Open(r.Source)
	if err != nil {
		return fmt.Errorf("gorse: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var in io.Reader = bufio.NewReaderSize(f, 256<<10)
	if strings.HasSuffix(r.Source, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return fmt.Errorf("gorse: %s: %v: %w", r.Source, err, upnext.ErrInvalid)
		}
	}
	var part int64
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var size int64
		if err := binary.Read(in, binary.LittleEndian, &size); err != nil {
			return fmt.Errorf("gorse: %s: message %d: %w", r.Source, n, brokenOff(err))
		}
		switch {
		case size == dumpEnd && part != 0:
			return nil
		case size >= dumpFeedback && size < 0:
			part = size
			continue
		case part == 0 || size < 0 || size > maxMessage:
			return fmt.Errorf("gorse: %s: message %d: %w: %w", r.Source, n, errDump, upnext.ErrInvalid)
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(in, message); err != nil {
			return fmt.Errorf("gorse: %s: message %d: %w", r.Source, n, brokenOff(err))
		}
		if err := r.message(fmt.Sprintf("message %d", n), part, message, to); err != nil {
			return err
		}
	}
}

func brokenOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the dump broke off: %w", upnext.ErrInvalid)
	}
	return err
}

func (r Reader) message(place string, part int64, message []byte, to *rivals.Sink) error {
	m, err := fieldsOf(message)
	if err != nil {
		return to.Problem(place, fmt.Errorf("%v: %w", err, upnext.ErrInvalid))
	}
	labels := func(n protowire.Number) (v any) {
		if raw := m.bytes[n]; len(raw) > 0 {
			if json.Unmarshal(raw[len(raw)-1], &v) != nil {
				return nil
			}
		}
		return v
	}
	switch part {
	case dumpUsers:
		return r.user(place, user{UserID: m.text(1), Labels: labels(2), Comment: m.text(3)}, to)
	case dumpItems:
		g := item{ItemID: m.text(2), IsHidden: m.numbers[3] != 0, Timestamp: m.time(5), Labels: labels(6), Comment: m.text(7)}
		for _, c := range m.bytes[4] {
			g.Categories = append(g.Categories, string(c))
		}
		return r.item(place, g, to)
	}
	return r.feedback(place, feedback{FeedbackType: m.text(2), UserID: m.text(3), ItemID: m.text(4),
		Value: math.Float64frombits(m.numbers[5]), Timestamp: m.time(6), Comment: m.text(7)}, to)
}

// message is a protobuf message by the numbers of its fields.
type message struct {
	bytes   map[protowire.Number][][]byte
	numbers map[protowire.Number]uint64
}

func fieldsOf(raw []byte) (message, error) {
	m := message{map[protowire.Number][][]byte{}, map[protowire.Number]uint64{}}
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return m, protowire.ParseError(n)
		}
		raw = raw[n:]
		var v uint64
		switch kind {
		case protowire.BytesType:
			var b []byte
			if b, n = protowire.ConsumeBytes(raw); n >= 0 {
				m.bytes[number] = append(m.bytes[number], b)
			}
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
			m.numbers[number] = v
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(raw)
			m.numbers[number] = v
		default:
			n = protowire.ConsumeFieldValue(number, kind, raw)
		}
		if n < 0 {
			return m, protowire.ParseError(n)
		}
		raw = raw[n:]
	}
	return m, nil
}

func (m message) text(n protowire.Number) string {
	if all := m.bytes[n]; len(all) > 0 {
		return string(all[len(all)-1])
	}
	return ""
}

// time reads a google.protobuf.Timestamp. Gorse's zero time is the year 1.
func (m message) time(n protowire.Number) any {
	all := m.bytes[n]
	if len(all) == 0 {
		return nil
	}
	t, err := fieldsOf(all[len(all)-1])
	if err != nil {
		return nil
	}
	at := time.Unix(int64(t.numbers[1]), int64(t.numbers[2])).UTC()
	if at.Year() <= 1 || at.Year() > 9998 {
		return nil
	}
	return at.Format(time.RFC3339Nano)
}
