package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"upnext"
	"upnext/index/milvus"
	"upnext/index/rabitq"
	"upnext/infra/jobs"
	"upnext/infra/sqlstore"
	"upnext/serve/api"
)

// Each engine is named by a URL and chosen by one switch on its scheme; an
// empty setting is the embedded one in the data directory.

func (e *engines) at(name string) string { return filepath.Join(e.settings.DataDir, name) }

// openDatabase opens the stores, and the jobs beside them: in a file of their
// own (ADR 4), or in the same PostgreSQL.
func (e *engines) openDatabase(ctx context.Context) (err error) {
	url := cmp.Or(e.settings.Database, "sqlite:"+e.at("upnext.db"))
	if e.store, err = sqlstore.Open(ctx, url, e.logger); err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	e.closers = append(e.closers, e.store.Close)
	if strings.HasPrefix(url, "sqlite:") {
		url = "sqlite:" + e.at("jobs.db")
	}
	if e.queue, err = jobs.Open(ctx, url, e.logger); err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	e.closers = append(e.closers, e.queue.Close)
	return nil
}

// openIndex opens the collections of vectors.
func (e *engines) openIndex(ctx context.Context) error {
	url := cmp.Or(e.settings.Index, "rabitq:"+e.at("index"))
	switch engine, rest, _ := strings.Cut(url, ":"); engine {
	case "rabitq":
		c, err := rabitq.Open(rest, e.logger)
		if err != nil {
			return fmt.Errorf("--index: %w", err)
		}
		e.indexes, e.closers = c, append(e.closers, c.Close)
		// Better no start than one that answers with no item; another tenant's
		// damage is logged by the sweep, and keeps nobody else waiting.
		if _, err := c.List(ctx, upnext.DefaultTenant); errors.Is(err, rabitq.ErrDamaged) {
			return fmt.Errorf("--index: %w (%s)", err, repairHint)
		}
	case "milvus", "milvus+tls":
		c, err := milvus.Open(ctx, url, e.logger)
		if err != nil {
			return fmt.Errorf("--index: %w", err)
		}
		e.indexes, e.closers = c, append(e.closers, c.Close)
	default:
		return fmt.Errorf("--index %s:…: no such engine; there are rabitq and milvus: %w", engine, upnext.ErrInvalid)
	}
	return nil
}

// repairHint follows the error of an index that is damaged.
const repairHint = "serve once with --repair-index: what is damaged is moved aside and filled again from the catalogue"

// repairIndex moves collections that are damaged aside, before the engines are
// opened; the sweep fills them again.
func repairIndex(s *Settings, logger *slog.Logger) error {
	url := cmp.Or(s.Index, "rabitq:"+filepath.Join(s.DataDir, "index"))
	engine, dir, _ := strings.Cut(url, ":")
	if engine != "rabitq" {
		return fmt.Errorf("--repair-index: for rabitq alone, and --index is %s:…: %w", engine, upnext.ErrInvalid)
	}
	aside, err := rabitq.Repair(dir, s.now(), logger)
	if err != nil {
		return fmt.Errorf("--repair-index: %w", err)
	}
	for _, path := range aside {
		logger.Error("index repaired: the catalogue's items are embedded again; what was moved aside may be removed", "path", path)
	}
	if len(aside) == 0 {
		logger.Info("index needs no repair", "dir", dir)
	}
	return nil
}

// dependencies are what the engines say of themselves.
func (e *engines) dependencies() []api.Dependency {
	return []api.Dependency{
		{Name: "database", Check: e.store.Ping},
		{Name: "objects", Check: func(ctx context.Context) error {
			_, err := e.blobs.Stat(ctx, "no-such-object")
			if errors.Is(err, upnext.ErrNotFound) {
				return nil
			}
			return err
		}},
		{Name: "index", Check: func(ctx context.Context) error {
			_, _, err := e.indexes.Active(ctx, upnext.DefaultTenant)
			if errors.Is(err, upnext.ErrNotFound) {
				return nil
			}
			return err
		}},
	}
}

// secret returns a key that must stay the same for ever: the setting's, or one
// made once and kept with the data. Servers that share a database must be told
// it, because each has a data directory of its own.
func (s *Settings) secret(flag, setting, file string) ([]byte, error) {
	if setting != "" {
		if len(setting) < 32 {
			return nil, fmt.Errorf("%s: %d characters, at least 32: %w", flag, len(setting), upnext.ErrInvalid)
		}
		sum := sha256.Sum256([]byte(setting)) // whatever its length, 32 bytes
		return sum[:], nil
	}
	if s.shared() { // a file of this server's would be another at the next one
		return nil, fmt.Errorf("%s: needed with --database postgres://…: every server of the database must have the same: %w", flag, upnext.ErrInvalid)
	}
	name := filepath.Join(s.DataDir, file)
	key, err := os.ReadFile(name)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if err == nil {
		return nil, fmt.Errorf("%s: %s has %d bytes, want 32: remove it to have a new one made: %w", flag, name, len(key), upnext.ErrInvalid)
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return key, os.WriteFile(name, key, 0o600)
}

// shared says whether other servers may have the same database.
func (s *Settings) shared() bool {
	return s.Database != "" && !strings.HasPrefix(s.Database, "sqlite:")
}
