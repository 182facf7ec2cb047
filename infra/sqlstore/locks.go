package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"upnext"
)

// newLocks returns the upnext.Locks of a database: in memory for SQLite, whose
// file one process has; over the server for PostgreSQL.
func newLocks(db database) upnext.Locks {
	local := &localLocks{held: map[string]chan struct{}{}}
	if db.locks == nil {
		return local
	}
	return &sessionLocks{local: local, db: db.locks, space: db.news.channel}
}

// localLocks are locks within the process. A name that nobody holds or waits
// for takes no memory.
type localLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the holder gives the name back
}

// Lock implements upnext.Locks.
func (l *localLocks) Lock(ctx context.Context, name string) (func(), error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		l.mu.Lock()
		held, ok := l.held[name]
		if !ok {
			free := make(chan struct{})
			l.held[name] = free
			l.mu.Unlock()
			return sync.OnceFunc(func() {
				l.mu.Lock()
				delete(l.held, name)
				l.mu.Unlock()
				close(free)
			}), nil
		}
		l.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
		}
	}
}

// sessionLocks are advisory locks of the server's. Each name that is held or
// waited for has a connection of its own; its end, by whatever cause, frees the
// name. Of one process one caller at a time waits at the server: more names
// than connections wait for each other. A holder is not told that the server
// was restarted under it: what it does must bear being done twice at once, as
// it must when a process is paused for long.
type sessionLocks struct {
	local *localLocks
	db    *sql.DB
	space string // tells the locks of one schema from another's
}

// Lock implements upnext.Locks.
func (l *sessionLocks) Lock(ctx context.Context, name string) (func(), error) {
	release, err := l.local.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	conn, err := l.db.Conn(ctx)
	if err != nil {
		release()
		return nil, fmt.Errorf("lock %s: %w", name, failureIn(ctx, err))
	}
	sum := sha256.Sum256([]byte(l.space + "\x00" + name))
	key := int64(binary.BigEndian.Uint64(sum[:8]))
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		discard(conn) // whether the lock was got is not known
		release()
		return nil, fmt.Errorf("lock %s: %w", name, failureIn(ctx, err))
	}
	return sync.OnceFunc(func() {
		defer release()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, key); err != nil {
			discard(conn)
			return
		}
		_ = conn.Close() // back to the pool
	}), nil
}

// discard ends a connection instead of giving it back to its pool: the server
// frees what it held.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
