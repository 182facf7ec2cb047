package rabitq

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"upnext"
)

// ErrDamaged says that files of a collection are not as they were written. It
// stays so until they are restored, or Repair has moved them aside.
var ErrDamaged = fmt.Errorf("index is damaged: %w", upnext.ErrUnavailable)

// damaged is between the name of a collection and the time at which Repair
// moved it aside. Names of collections have no dot.
const damaged = ".damaged-"

// damage marks the error of an opening that files are the cause of. What the
// system refused (too many open files, a disk that does not answer) is none:
// the collection may be whole.
func damage(err error) error {
	var refused syscall.Errno
	if err == nil || errors.As(err, &refused) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", err, ErrDamaged)
}

// Repair opens every collection under dir and moves those that are damaged
// aside, as NAME.damaged-TIME beside it, where nothing reads them again. It
// returns the new paths. Of what is whole nothing changes; what was moved is
// for its owner to fill again. A folder that a process has open is an
// ErrConflict; an error of the system's ends it.
func Repair(dir string, now time.Time, logger *slog.Logger) (aside []string, err error) {
	c, err := Open(dir, logger)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("repair index: %w", err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		moved, err := c.repairTenant(filepath.Join(dir, folder.Name()), now)
		if aside = append(aside, moved...); err != nil {
			return aside, fmt.Errorf("repair index %s: %w", folder.Name(), err)
		}
	}
	return aside, nil
}

// repairTenant repairs one tenant's folder. Where the promoted collection has
// gone none is promoted.
func (c *Collections) repairTenant(dir string, now time.Time) (aside []string, err error) {
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	whole := map[string]bool{}
	for _, folder := range folders {
		name, path := folder.Name(), filepath.Join(dir, folder.Name())
		if !folder.IsDir() || strings.HasPrefix(name, unfinished) || strings.Contains(name, damaged) {
			continue
		}
		x, err := openCollection(path, c.kernel, c.limits, c.logger)
		if err == nil {
			if err := x.close(errClosed, false); err != nil {
				return aside, err
			}
			whole[name] = true
			continue
		}
		if !errors.Is(damage(err), ErrDamaged) {
			return aside, err
		}
		to := path + damaged + now.UTC().Format("20060102T150405Z")
		if err := os.Rename(path, to); err != nil {
			return aside, err
		}
		c.logger.Error("damaged collection moved aside", "collection", path, "to", to, "error", err)
		aside = append(aside, to)
	}
	path := filepath.Join(dir, promotedFile)
	promoted, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return aside, syncDir(dir)
	}
	if name := strings.TrimSpace(string(promoted)); err == nil && !whole[name] {
		c.logger.Error("promoted collection is not there: none is promoted", "collection", filepath.Join(dir, name))
		err = os.Remove(path)
	}
	return aside, errors.Join(err, syncDir(dir))
}
