package rabitq

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"upnext"
)

// A write-ahead log is a file of frames. One frame holds the records of all
// callers that waited together: one write and one sync for them all. A frame
// is written only after the one before it was synced, so at most the last frame
// can be torn by a crash, and a damaged one that another follows had been
// acknowledged: that is corruption, and is refused.
const (
	frameMagic  = "\xf5upf"
	frameHeader = 24      // magic, CRC32C of all that follows, sequence, length
	maxFrame    = 1 << 30 // bytes; also the most that one call may write
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// wal is the end of a log, to append to.
type wal struct {
	file     *os.File
	size     int64  // of what is whole
	sequence uint64 // of the last frame
	broken   error  // why nothing can be appended any more
	buffer   []byte
}

// append makes records durable, or none of them.
func (l *wal) append(records [][]byte) error {
	if l.broken != nil {
		return l.broken
	}
	w := writer{b: append(l.buffer[:0], make([]byte, frameHeader)...)}
	for _, record := range records {
		w.uint(uint64(len(record)))
		w.b = append(w.b, record...)
	}
	frame := w.b
	if cap(frame) <= 1<<20 {
		l.buffer = frame // a larger one is not kept for the next
	}
	copy(frame, frameMagic)
	binary.LittleEndian.PutUint64(frame[8:], l.sequence+1)
	binary.LittleEndian.PutUint64(frame[16:], uint64(len(frame)-frameHeader))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[8:], castagnoli))

	if _, err := l.file.WriteAt(frame, l.size); err != nil {
		// A full disk, most likely: take back the part that was written, and
		// the log is as it was.
		if undo := l.file.Truncate(l.size); undo != nil {
			l.broken = fmt.Errorf("write log: %w: %w", errors.Join(err, undo), upnext.ErrUnavailable)
			return l.broken
		}
		return fmt.Errorf("write log: %w: %w", err, upnext.ErrUnavailable)
	}
	if err := l.file.Sync(); err != nil {
		// What a failed sync leaves in the file nobody knows; a second one
		// would claim success for pages that were dropped.
		l.broken = fmt.Errorf("sync log: %w: %w", err, upnext.ErrUnavailable)
		return l.broken
	}
	l.size += int64(len(frame))
	l.sequence++
	return nil
}

// replay calls apply with each record of a log whose first frame follows
// sequence. It returns how many bytes are whole and the last sequence; what
// comes after those bytes is the torn end.
func replay(log []byte, sequence uint64, apply func(record []byte) error) (whole int, last uint64, err error) {
	for whole < len(log) {
		payload, number, ok := parseFrame(log[whole:])
		if !ok {
			if at := laterFrame(log[whole+1:], sequence+1); at >= 0 {
				return whole, sequence, fmt.Errorf("damaged at byte %d, though a whole frame follows at byte %d", whole, whole+1+at)
			}
			return whole, sequence, nil
		}
		if number != sequence+1 {
			return whole, sequence, fmt.Errorf("frame %d at byte %d, want frame %d", number, whole, sequence+1)
		}
		r := reader{b: payload}
		for len(r.b) > 0 && r.err == nil {
			record := r.take(r.uint())
			if r.err == nil {
				r.err = apply(record)
			}
		}
		if r.err != nil {
			return whole, sequence, fmt.Errorf("frame %d at byte %d: %w", number, whole, r.err)
		}
		sequence = number
		whole += frameHeader + len(payload)
	}
	return whole, sequence, nil
}

// parseFrame returns the frame that b begins with, if it is whole.
func parseFrame(b []byte) (payload []byte, number uint64, ok bool) {
	if len(b) < frameHeader || string(b[:4]) != frameMagic {
		return nil, 0, false
	}
	number = binary.LittleEndian.Uint64(b[8:])
	length := binary.LittleEndian.Uint64(b[16:])
	if length > uint64(len(b)-frameHeader) {
		return nil, 0, false
	}
	end := frameHeader + int(length)
	if crc32.Checksum(b[8:end], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, 0, false
	}
	return b[frameHeader:end], number, true
}

// laterFrame finds a whole frame of a later sequence than number, or -1.
func laterFrame(b []byte, number uint64) int {
	for at := 0; ; at++ {
		next := bytes.Index(b[at:], []byte(frameMagic))
		if next < 0 {
			return -1
		}
		at += next
		if _, found, ok := parseFrame(b[at:]); ok && found > number {
			return at
		}
	}
}
