package sqlstore_test

import (
	"path/filepath"
	"testing"

	"upnext/infra/storetest"
)

// opener opens databases in one folder, by name.
func opener(t testing.TB) storetest.Open {
	dir := t.TempDir()
	return func(t testing.TB, name string) storetest.Stores {
		if t.Name() != "" {
			name += filepath.Base(t.Name()) // each subtest its own
		}
		return stores(t, openURL(t, "sqlite:"+filepath.Join(dir, name+".db")))
	}
}

func TestSQLite(t *testing.T) { storetest.Test(t, opener(t)) }

func BenchmarkSQLite(b *testing.B) { storetest.Bench(b, opener(b)) }
