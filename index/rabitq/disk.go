package rabitq

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"upnext"
	"upnext/index"
)

// A collection's folder holds
//
//	spec.json                  what it was made for
//	vectors.f32  rows.u8       the regions
//	log-N  snapshot-N          the changes since the snapshot of the same number
//
// where more than one log lies there only if a crash came between the making
// of a snapshot and the removal of what it replaces.
const (
	specFile       = "spec.json"
	vectorsFile    = "vectors.f32"
	rowsFile       = "rows.u8"
	logPrefix      = "log-"
	snapshotPrefix = "snapshot-"
)

func numbered(dir, prefix string, n uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%016x", prefix, n))
}

func writeSpec(dir string, spec index.Spec) error {
	b, err := json.MarshalIndent(spec, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, specFile), func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
}

func sameFields(a, b index.Spec) bool { return maps.Equal(a.Fields, b.Fields) }

// openCollection opens the folder that makeCollection made.
func openCollection(dir string, k kernel, l limits, logger *slog.Logger) (*collection, error) {
	started := time.Now()
	b, err := os.ReadFile(filepath.Join(dir, specFile))
	if err != nil {
		return nil, err
	}
	var spec index.Spec
	if err := json.Unmarshal(b, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", specFile, err)
	}
	if err := spec.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", specFile, err)
	}
	c := &collection{dir: dir, logger: logger, state: newState(spec, k, l), log: &wal{}}
	if c.state.vectors, err = openRegion(filepath.Join(dir, vectorsFile)); err != nil {
		return nil, err
	}
	if c.state.rows, err = openRegion(filepath.Join(dir, rowsFile)); err != nil {
		return nil, errors.Join(err, c.state.vectors.file.Close())
	}
	if err := c.recover(); err != nil {
		if c.log.file != nil {
			err = errors.Join(err, c.log.file.Close())
		}
		return nil, errors.Join(err, c.state.close())
	}
	logger.Info("index opened", "dir", dir, "entries", c.state.live, "log_bytes", c.log.size,
		"kernel", k.name, "seconds", time.Since(started).Seconds())
	return c, nil
}

// recover reads the newest snapshot and what was logged since.
func (c *collection) recover() error {
	snapshots, err := c.numbers(snapshotPrefix)
	if err != nil {
		return err
	}
	if len(snapshots) > 0 {
		c.generation = snapshots[len(snapshots)-1]
		path := numbered(c.dir, snapshotPrefix, c.generation)
		if c.log.sequence, err = c.state.readSnapshot(path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	logs, err := c.numbers(logPrefix)
	if err != nil {
		return err
	}
	logs = slices.DeleteFunc(logs, func(n uint64) bool { return n < c.generation })
	recoded := false
	for i, n := range logs {
		if n != c.generation+uint64(i) {
			return fmt.Errorf("%s is missing, later ones are there", numbered(c.dir, logPrefix, c.generation+uint64(i)))
		}
		again, err := c.replayLog(numbered(c.dir, logPrefix, n), i == len(logs)-1)
		if err != nil {
			return err
		}
		recoded = recoded || again
	}
	recoded = c.state.recode(unshared{}) || recoded // where the snapshot was of a former layout
	if len(logs) > 0 {
		c.generation = logs[len(logs)-1]
	}
	if err := c.openLog(); err != nil {
		return err
	}
	if recoded || c.log.size > c.longestLog() {
		return c.checkpoint()
	}
	return c.sweep()
}

// replayLog applies a log. Only the last one may end in a torn frame: another
// was begun after it was whole.
func (c *collection) replayLog(path string, last bool) (recoded bool, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	whole, sequence, err := replay(b, c.log.sequence, func(record []byte) error {
		o, err := decode(record, c.state.spec.Dim)
		if err != nil {
			return err
		}
		if err := c.state.reserve(len(o.entries), unshared{}); err != nil {
			return err
		}
		c.state.apply(o, unshared{})
		recoded = c.state.recode(unshared{}) || recoded
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	if whole < len(b) {
		if !last {
			return false, fmt.Errorf("%s: damaged at byte %d, though a later log follows", path, whole)
		}
		c.logger.Warn("index log ends torn: what was not acknowledged is dropped", "path", path, "byte", whole, "dropped", len(b)-whole)
		if err := os.Truncate(path, int64(whole)); err != nil {
			return false, err
		}
	}
	c.log.sequence = sequence
	return recoded, nil
}

// openLog opens the log of this generation to append to.
func (c *collection) openLog() error {
	path := numbered(c.dir, logPrefix, c.generation)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	stat, err := f.Stat()
	if err == nil {
		err = errors.Join(f.Sync(), syncDir(c.dir))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if c.log.file != nil {
		_ = c.log.file.Close() // all of it was synced
	}
	c.log.file, c.log.size = f, stat.Size()
	return nil
}

// checkpoint makes a snapshot and begins a new log. c.writing is held. At every
// step the newest snapshot and the logs from its number on are all there is.
func (c *collection) checkpoint() error {
	if err := errors.Join(c.state.vectors.sync(), c.state.rows.sync()); err != nil {
		return err
	}
	c.generation++
	if err := c.openLog(); err != nil {
		c.generation--
		return err
	}
	if err := c.state.writeSnapshot(numbered(c.dir, snapshotPrefix, c.generation), c.log.sequence); err != nil {
		return err // the new log goes on from the old one
	}
	return c.sweep()
}

// sweep removes what the newest snapshot replaces, and halves of files.
func (c *collection) sweep() error {
	snapshots, err := c.numbers(snapshotPrefix)
	if err != nil || len(snapshots) == 0 {
		return err
	}
	files, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".tmp") {
			if err := os.Remove(filepath.Join(c.dir, f.Name())); err != nil {
				return err
			}
		}
	}
	newest := snapshots[len(snapshots)-1]
	for _, prefix := range []string{logPrefix, snapshotPrefix} {
		numbers, err := c.numbers(prefix)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			if n < newest {
				if err := os.Remove(numbered(c.dir, prefix, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
	}
	return nil
}

// numbers lists the folder's logs or snapshots, in order.
func (c *collection) numbers(prefix string) ([]uint64, error) {
	files, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, f := range files {
		digits, ok := strings.CutPrefix(f.Name(), prefix)
		if !ok || strings.HasSuffix(digits, ".tmp") {
			continue
		}
		var n uint64
		if _, err := fmt.Sscanf(digits, "%016x", &n); err != nil || numbered(c.dir, prefix, n) != filepath.Join(c.dir, f.Name()) {
			return nil, fmt.Errorf("%s: not a name of ours: %w", filepath.Join(c.dir, f.Name()), upnext.ErrInvalid)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, nil
}
