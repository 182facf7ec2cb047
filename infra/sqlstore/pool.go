package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// pool is connections that read. On SQLite it keeps its statements prepared:
// parsing one takes as long as answering it. PostgreSQL's driver does so itself.
type pool struct {
	*sql.DB
	keep bool

	mu   sync.RWMutex
	kept map[string]*sql.Stmt
}

// mostStatements bounds those that are kept: texts with lists of several lengths
// make many.
const mostStatements = 200

// QueryContext runs a query by a kept statement where there is one.
func (p *pool) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, text) //nolint:sqlclosecheck // it is kept, and closed with the pool
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.DB.QueryContext(ctx, text, args...)
	}
	return s.QueryContext(ctx, args...)
}

// statement returns the kept one of a text, nil where none is kept.
func (p *pool) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if !p.keep {
		return nil, nil
	}
	p.mu.RLock()
	s, full := p.kept[text], len(p.kept) >= mostStatements
	p.mu.RUnlock()
	if s != nil || full {
		return s, nil
	}
	s, err := p.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.kept[text]; other != nil { // somebody was faster
		return other, s.Close() //nolint:sqlclosecheck // the other one is kept
	}
	if p.kept == nil {
		p.kept = map[string]*sql.Stmt{}
	}
	p.kept[text] = s
	return s, nil
}

// Close closes the statements and the connections.
func (p *pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, s := range p.kept {
		err = errors.Join(err, s.Close())
	}
	p.kept = nil
	return errors.Join(err, p.DB.Close())
}
