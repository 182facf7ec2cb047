package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/golang-migrate/migrate/v4"
	migratesqlite "github.com/golang-migrate/migrate/v4/database/sqlite"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"upnext"
)

//go:embed migrations
var migrations embed.FS

// openSQLite opens a file in WAL mode with a sync at every commit: what was
// acknowledged survives a kill and a loss of power.
func openSQLite(ctx context.Context, file string, logger *slog.Logger) (database, error) {
	if file == "" {
		return database{}, fmt.Errorf("no file named: %w", upnext.ErrInvalid)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return database{}, err
	}
	if err := createSQLite(file); err != nil {
		return database{}, err
	}
	version, err := migrateSQLite(file)
	if err != nil {
		return database{}, err
	}
	db := database{}
	if db.write, err = poolSQLite(ctx, file, 1, "&_txlock=immediate&_pragma=cache_size(-16000)"); err != nil {
		return database{}, err
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	reading, err := poolSQLite(ctx, file, readers, "&_pragma=query_only(1)&_pragma=cache_size(-4000)")
	if err != nil {
		return database{}, errors.Join(err, db.write.Close())
	}
	db.read = &pool{DB: reading, keep: true}
	logger.Info("database open", "file", file, "version", version)
	return db, nil
}

// poolSQLite opens a pool of n connections that stay open.
func poolSQLite(ctx context.Context, file string, n int, more string) (*sql.DB, error) {
	// The path is escaped: it may hold any of "?", "#" and "%". Checkpoints come
	// every 16 MB of log, four times as rare as by default, because each one
	// syncs twice; the log is cut back to 64 MB after a burst.
	dsn := (&url.URL{Scheme: "file", Path: file}).String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=journal_size_limit(67108864)&_pragma=temp_store(MEMORY)" + more
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(failure(err), db.Close())
	}
	return db, nil
}

// createSQLite makes a new database beside its place and moves it there when
// it is whole: a kill at first start leaves no half-migrated file behind.
func createSQLite(file string) error {
	if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	part := file + ".new"
	for _, old := range []string{part, part + "-wal", part + "-shm", part + "-journal"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := migrateSQLite(part); err != nil { // closing it moves the log into the file
		return err
	}
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	return syncPath(filepath.Dir(file))
}

func syncPath(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// migrateSQLite brings a file to the newest version and returns that.
func migrateSQLite(file string) (version uint, err error) {
	source, err := iofs.New(migrations, "migrations/sqlite")
	if err != nil {
		return 0, err
	}
	newest, err := newestOf(source)
	if err != nil {
		return 0, errors.Join(err, source.Close())
	}
	db, err := poolSQLite(context.Background(), file, 1, "")
	if err != nil {
		return 0, errors.Join(err, source.Close())
	}
	driver, err := migratesqlite.WithInstance(db, &migratesqlite.Config{})
	if err != nil {
		return 0, errors.Join(failure(err), source.Close(), db.Close())
	}
	m, err := migrate.NewWithInstance("iofs", source, "sqlite", driver)
	if err != nil {
		return 0, errors.Join(failure(err), source.Close(), db.Close())
	}
	defer func() {
		sourceErr, dbErr := m.Close()
		err = errors.Join(err, sourceErr, failure(dbErr))
	}()
	return newest, upgrade(m, newest)
}

// newestOf returns the version of a folder's last migration.
func newestOf(source source.Driver) (uint, error) {
	newest, err := source.First()
	if err != nil {
		return 0, err
	}
	for next := newest; err == nil; next, err = source.Next(newest) {
		newest = next
	}
	return newest, nil
}

func upgrade(m *migrate.Migrate, newest uint) error {
	at, dirty, err := m.Version()
	switch {
	case err != nil && !errors.Is(err, migrate.ErrNilVersion):
		return failure(err)
	case dirty:
		return fmt.Errorf("a migration to version %d was cut short; restore the database from a copy: %w", at, upnext.ErrConflict)
	case at > newest:
		return fmt.Errorf("written by a newer program: its version is %d, this program knows %d: %w", at, newest, upnext.ErrConflict)
	}
	if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate from version %d: %w", at, failure(err))
	}
	return nil
}
