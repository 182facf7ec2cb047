package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"upnext"
)

// eventCounter names the counter of a tenant's sequence numbers.
const eventCounter = "events"

// commitPatience bounds one group's commit on a server, which may hang or be
// cut off: its callers wait meanwhile.
const commitPatience = 30 * time.Second

// chunks are how many events one statement takes: few texts to plan, far fewer
// statements than events.
var chunks = [...]int{100, 20, 4, 1}

// inserter writes groups of events, one transaction a group.
type inserter struct {
	db     database
	chunks [len(chunks)]*sql.Stmt
}

func newInserter(ctx context.Context, db database) (*inserter, error) {
	in := &inserter{db: db}
	for i, n := range chunks {
		var text strings.Builder
		text.WriteString(`INSERT INTO events (tenant, seq, viewer, id, at, received_at, body) VALUES `)
		for row := range n {
			if row > 0 {
				text.WriteString(", ")
			}
			text.WriteString("($1, " + placeholders(2+6*row, 6) + ")")
		}
		text.WriteString(` ON CONFLICT (tenant, id, viewer) DO NOTHING RETURNING seq`)
		var err error
		if in.chunks[i], err = db.write.PrepareContext(ctx, text.String()); err != nil { //nolint:sqlclosecheck // close does
			in.close()
			return nil, err
		}
	}
	return in, nil
}

func (in *inserter) close() {
	for _, s := range in.chunks {
		if s != nil {
			_ = s.Close() // a statement dies with its connection
		}
	}
}

// run is a tenant's events in a group, with the place of each one's outcome.
type run struct {
	tenant upnext.Tenant
	rows   []eventRow
	out    []*upnext.Appended
	first  int64 // the number of the first row at the last try
}

// runsOf puts calls, which come ordered by tenant, into a run a tenant.
func runsOf(calls []*appendCall) []*run {
	var runs []*run
	for _, c := range calls {
		if len(runs) == 0 || runs[len(runs)-1].tenant != c.tenant {
			runs = append(runs, &run{tenant: c.tenant})
		}
		r := runs[len(runs)-1]
		r.rows = append(r.rows, c.rows...)
		for i := range c.out {
			r.out = append(r.out, &c.out[i])
		}
	}
	return runs
}

// errKept says that the try before has been kept after all.
var errKept = errors.New("kept")

// write commits a group of calls in one transaction and fills in their
// outcomes. The calls come ordered by tenant: two writers of one database take
// the counters' rows in one order, so they never wait for each other in a ring.
//
// Where the connection breaks at the commit, the next try looks first whether
// its rows are there: then the outcomes of the try before stand, and nobody is
// told that an event is a duplicate of itself.
func (in *inserter) write(ctx context.Context, calls []*appendCall) error {
	if in.db.news != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commitPatience)
		defer cancel()
	}
	runs, unknown := runsOf(calls), false
	for try := 1; ; try++ {
		err := in.db.update(ctx, func(tx *sql.Tx) error { return in.insertAll(ctx, tx, runs, unknown) })
		if errors.Is(err, errKept) {
			err = nil
		}
		unknown = unknown || errors.Is(err, errUnknown)
		if unknown && errors.Is(err, upnext.ErrUnavailable) && try < maxTries && pause(ctx, try) {
			continue
		}
		switch {
		case err == nil:
			for _, r := range runs {
				in.db.changed(r.tenant)
			}
		case ctx.Err() != nil: // the patience, which is no caller's deadline
			err = fmt.Errorf("the database has not answered: %v: %w", err, upnext.ErrUnavailable)
		}
		return err
	}
}

func (in *inserter) insertAll(ctx context.Context, tx *sql.Tx, runs []*run, unknown bool) error {
	for i, r := range runs {
		first, err := bump(ctx, tx, r.tenant, eventCounter, len(r.rows))
		if err != nil {
			return err
		}
		if i == 0 && unknown { // the try before has ended: it had this counter too
			for _, r := range runs {
				if kept, err := r.kept(ctx, tx); err != nil {
					return err
				} else if kept {
					return errKept
				}
			}
		}
		r.first = first
		if err := r.follow(ctx, tx); err != nil {
			return err
		}
		if err := in.insert(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// kept reports whether any row that the last try has written is there.
func (r *run) kept(ctx context.Context, tx *sql.Tx) (bool, error) {
	type place struct {
		seq, received int64
		viewer, id    string
	}
	there, err := query(ctx, tx, func(rows *sql.Rows) (p place, err error) {
		return p, rows.Scan(&p.seq, &p.received, &p.viewer, &p.id)
	}, `SELECT seq, received_at, viewer, id FROM events WHERE tenant = $1 AND seq >= $2 AND seq < $3`,
		string(r.tenant), r.first, r.first+int64(len(r.rows)))
	for _, p := range there {
		i := p.seq - r.first
		// Another writer may have got the numbers of a try that was not kept.
		if row := r.rows[i]; r.out[i].Seq == p.seq && row.id == p.id && row.viewer == p.viewer && row.received == p.received {
			return true, nil
		}
	}
	return false, err
}

// insert writes a tenant's rows in as few statements as chunks allows.
func (in *inserter) insert(ctx context.Context, tx *sql.Tx, r *run) error {
	for _, out := range r.out {
		*out = upnext.Appended{Duplicate: true} // unless it comes back
	}
	at := 0
	for i, n := range chunks {
		if len(r.rows)-at < n {
			continue
		}
		stmt := tx.StmtContext(ctx, in.chunks[i])
		defer func() { _ = stmt.Close() }() // ends with the transaction anyway
		for ; len(r.rows)-at >= n; at += n {
			if err := r.insertChunk(ctx, stmt, at, n); err != nil {
				return fmt.Errorf("%d events from %s on: %w", n, r.rows[at].id, err)
			}
		}
	}
	return nil
}

func (r *run) insertChunk(ctx context.Context, stmt *sql.Stmt, at, n int) error {
	args := make([]any, 1, 1+6*n)
	args[0] = string(r.tenant)
	for i := at; i < at+n; i++ {
		row := r.rows[i]
		args = append(args, r.first+int64(i), row.viewer, row.id, row.at, row.received, row.body)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below has the reason
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		row, out := r.rows[seq-r.first], r.out[seq-r.first]
		*out = upnext.Appended{Seq: seq}
		if row.viewer != row.sender {
			if out.Into, err = upnext.ParseViewerID(row.viewer); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}
