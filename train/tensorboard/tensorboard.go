// Package tensorboard writes scalars that TensorBoard draws: event files of
// TensorFlow's record format (length, CRC-32C, bytes, CRC-32C), each record an
// Event of tensorflow/core/util/event.proto.
package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of Event, Summary and Summary.Value.
const (
	eventWallTime    = 1 // double, seconds
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	summaryValue     = 1 // repeated Value
	valueTag         = 1 // string
	valueSimple      = 2 // float
)

// Writer appends scalars to one event file. It is not safe for concurrent use.
type Writer struct {
	file io.WriteCloser
	now  func() time.Time
}

// Create begins a file in a folder of its own for each run, which it makes:
// dir/run is one line in TensorBoard. An earlier file of the run stays, and
// TensorBoard reads both.
func Create(dir, run string, now func() time.Time) (*Writer, error) {
	folder := filepath.Join(dir, run)
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // others look at curves
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	at := now()
	file, err := os.Create(filepath.Join(folder, fmt.Sprintf("events.out.tfevents.%010d.%d.upnext", at.Unix(), at.Nanosecond())))
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	w := &Writer{file, now}
	version := protowire.AppendTag(nil, eventFileVersion, protowire.BytesType)
	if err := w.record(protowire.AppendString(version, "brain.Event:2")); err != nil {
		return nil, err
	}
	return w, nil
}

// Scalar writes one point of a curve.
func (w *Writer) Scalar(tag string, step int, value float64) error {
	of := protowire.AppendTag(nil, valueTag, protowire.BytesType)
	of = protowire.AppendString(of, tag)
	of = protowire.AppendTag(of, valueSimple, protowire.Fixed32Type)
	of = protowire.AppendFixed32(of, math.Float32bits(float32(value)))
	summary := protowire.AppendTag(nil, summaryValue, protowire.BytesType)
	summary = protowire.AppendBytes(summary, of)
	event := protowire.AppendTag(nil, eventStep, protowire.VarintType)
	event = protowire.AppendVarint(event, uint64(step)) //nolint:gosec // steps count up from 0
	event = protowire.AppendTag(event, eventSummary, protowire.BytesType)
	return w.record(protowire.AppendBytes(event, summary))
}

// record adds the time and frames an Event.
func (w *Writer) record(event []byte) error {
	event = protowire.AppendTag(event, eventWallTime, protowire.Fixed64Type)
	event = protowire.AppendFixed64(event, math.Float64bits(float64(w.now().UnixNano())/1e9))
	framed := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	framed = binary.LittleEndian.AppendUint32(framed, masked(framed))
	framed = append(framed, event...)
	framed = binary.LittleEndian.AppendUint32(framed, masked(event))
	if _, err := w.file.Write(framed); err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}

// Close ends the file.
func (w *Writer) Close() error { return w.file.Close() }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum as TensorFlow stores it: turned and moved, so that a
// checksum over checksums keeps its worth.
func masked(b []byte) uint32 {
	crc := crc32.Checksum(b, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
