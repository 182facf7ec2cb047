package sqlstore

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"upnext"
)

// TestOldSlates opens a database of the first version: its slates are numbered
// by their time, in each tenant, and new ones come after them.
func TestOldSlates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "old.db")
	first, err := migrations.ReadFile("migrations/sqlite/000001_stores.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	old, err := poolSQLite(t.Context(), file, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(first), `CREATE TABLE schema_migrations (version uint64, dirty bool)`, `INSERT INTO schema_migrations VALUES (1, 0)`,
		`INSERT INTO slates (tenant, id, viewer, at, body) VALUES ('a', 'x', 'u:v', 2, '{}'), ('a', 'y', 'u:v', 1, '{}'), ('b', 'z', 'u:v', 3, '{}')`,
	} {
		if _, err := old.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for tenant, want := range map[upnext.Tenant][]upnext.SlateID{"a": {"y", "x", "new"}, "b": {"z", "new"}} {
		if err := s.Slates.Record(t.Context(), tenant, upnext.Slate{ID: "new"}); err != nil {
			t.Fatal(err)
		}
		slates, err := s.Slates.SlatesSince(t.Context(), tenant, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []upnext.SlateID
		for i, slate := range slates {
			if got = append(got, slate.ID); slate.Seq != int64(i+1) {
				t.Errorf("tenant %s: slate %s has seq %d, want %d", tenant, slate.ID, slate.Seq, i+1)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("tenant %s: slates %v, want %v", tenant, got, want)
		}
	}
}
