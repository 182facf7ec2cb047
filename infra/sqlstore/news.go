package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"upnext"
)

// Change is what another process has changed in the stores.
type Change struct {
	Tenant upnext.Tenant
	// Viewer's events were taken back, or their properties changed. The zero
	// viewer: there are new events, or the catalogue or a schema has changed.
	Viewer upnext.ViewerID
	// Missed says that anything may have changed, of any tenant: the connection
	// was lost for a while. The other fields are zero.
	Missed bool
}

// news tells other processes of commits, and hears from them. New events and
// catalogue changes are told after their commit, by one goroutine that merges
// what comes while it speaks: the commit itself does not take the lock that
// NOTIFY holds over all of a server's commits. What is lost with a kill between
// the two is found at the reader's next look.
type news struct {
	write   *sql.DB
	config  *pgx.ConnConfig // of the connection that listens
	channel string
	self    string // names this process's messages
	logger  *slog.Logger

	mu      sync.Mutex
	tenants map[upnext.Tenant]bool // to be told of
	wake    chan struct{}
	quit    chan struct{}
	ended   chan struct{}
	once    sync.Once
}

// message is what NOTIFY carries.
type message struct {
	From   string `json:"f"`
	Tenant string `json:"t"`
	Viewer string `json:"v,omitempty"`
}

func startNews(write *sql.DB, config *pgx.ConnConfig, channel, self string, logger *slog.Logger) *news {
	n := &news{
		write: write, config: config, channel: channel, self: self, logger: logger,
		tenants: map[upnext.Tenant]bool{}, wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go n.run()
	return n
}

func (n *news) close() {
	n.once.Do(func() { close(n.quit) })
	<-n.ended
}

// changed says that a commit has changed what readers of a tenant follow.
func (db database) changed(t upnext.Tenant) {
	if n := db.news; n != nil {
		n.mu.Lock()
		n.tenants[t] = true
		n.mu.Unlock()
		select {
		case n.wake <- struct{}{}:
		default: // it will find this tenant too
		}
	}
}

func (n *news) run() {
	defer close(n.ended)
	for ending := false; !ending; {
		select {
		case <-n.wake:
		case <-n.quit:
			ending = true // after what is left to be told
		}
		n.mu.Lock()
		tenants := n.tenants
		n.tenants = map[upnext.Tenant]bool{}
		n.mu.Unlock()
		for t := range tenants {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			_, err := n.write.ExecContext(ctx, `SELECT pg_notify($1, $2)`, n.channel, n.payload(t, ""))
			cancel()
			if err != nil { // the others look by themselves every now and then
				n.logger.Warn("other processes were not told of a change", "tenant", t, "error", err)
				break
			}
		}
	}
}

func (n *news) payload(t upnext.Tenant, viewer string) string {
	b, _ := json.Marshal(message{n.self, string(t), viewer}) // three strings always go
	return string(b)
}

// forget tells other processes, with the commit of tx, that what they hold of
// a viewer no longer stands. It is rare, and must not be lost.
func (db database) forget(ctx context.Context, tx *sql.Tx, t upnext.Tenant, viewer string) error {
	if db.news == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, db.news.channel, db.news.payload(t, viewer))
	return err
}

// Watch calls f for each change that another process tells of, until ctx ends;
// then it returns nil. It connects again whenever its connection is lost, and
// says then that something may have been missed: at its first connection too.
// f must be quick: it is called by one goroutine, in the order of the commits.
// On SQLite there is no other process, and f is never called.
func (s *Store) Watch(ctx context.Context, f func(Change)) error {
	if s.db.news == nil {
		<-ctx.Done()
		return nil
	}
	for wait := 50 * time.Millisecond; ; {
		began := time.Now()
		err := s.db.news.listen(ctx, f)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the error is that ctx has ended
		}
		if time.Since(began) > 10*time.Second {
			wait = 50 * time.Millisecond
		}
		s.db.news.logger.Warn("not listening for other processes' changes", "again_in", wait, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// listen hears one connection out.
func (n *news) listen(ctx context.Context, f func(Change)) error {
	conn, err := pgx.ConnectConfig(ctx, n.config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{n.channel}.Sanitize()); err != nil {
		return err
	}
	f(Change{Missed: true})
	for {
		// A connection that died without a word is found by asking.
		hearing, cancel := context.WithTimeout(ctx, 15*time.Second)
		told, err := conn.WaitForNotification(hearing)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && hearing.Err() != nil && !conn.IsClosed():
			asking, cancel := context.WithTimeout(ctx, 5*time.Second)
			err := conn.Ping(asking)
			cancel()
			if err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		var m message
		if err := json.Unmarshal([]byte(told.Payload), &m); err != nil {
			n.logger.Warn("a change that nobody understands", "payload", told.Payload)
			continue
		}
		if m.From == n.self {
			continue
		}
		change := Change{Tenant: upnext.Tenant(m.Tenant)}
		if m.Viewer != "" {
			if change.Viewer, err = upnext.ParseViewerID(m.Viewer); err != nil {
				return fmt.Errorf("change: %w", err)
			}
		}
		f(change)
	}
}
