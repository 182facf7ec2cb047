package sqlstore_test

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"upnext/infra/sqlstore"
	"upnext/infra/storetest"
)

// opener opens databases in one folder, by name.
func opener(t testing.TB) storetest.Open {
	dir := t.TempDir()
	return func(t testing.TB, name string) storetest.Stores {
		if t.Name() != "" {
			name += filepath.Base(t.Name()) // each subtest its own
		}
		s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(dir, name+".db"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		closing := sync.OnceValue(s.Close)
		t.Cleanup(func() {
			if err := closing(); err != nil {
				t.Error(err)
			}
		})
		return storetest.Stores{
			Catalog: s.Catalog, Indexings: s.Indexings, Understandings: s.Understandings, Schemas: s.Schemas,
			Events: s.Events, Viewers: s.Viewers, Slates: s.Slates, Imports: s.Imports, Retention: s.Retention(), Close: closing,
		}
	}
}

func TestSQLite(t *testing.T) { storetest.Test(t, opener(t)) }

func BenchmarkSQLite(b *testing.B) { storetest.Bench(b, opener(b)) }
