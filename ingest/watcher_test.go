package ingest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"upnext"
	"upnext/ingest"
)

// watch runs a Watcher of one source until the test ends.
func watch(t *testing.T, im *ingest.Importer, c ingest.WatcherConfig) *ingest.Watcher {
	t.Helper()
	c.Importer, c.Gather = im, 20*time.Millisecond
	w, err := ingest.NewWatcher(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); group.Wait() })
	return w
}

// soon waits until what is to be is so.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// has says whether the catalogue has an item, with a title and a status.
func (w *world) has(t *testing.T, id upnext.ItemID, title string, status upnext.Status) bool {
	t.Helper()
	records, err := w.Catalog.Get(t.Context(), tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return len(records) == 1 && records[0].Item.Title == title && cmp.Or(records[0].Item.Status, upnext.Active) == status
}

func (w *world) imports(t *testing.T) []upnext.Import {
	t.Helper()
	all, err := w.store.Imports.ListImports(t.Context(), tenant, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func putObject(t *testing.T, b *bucket, key, content string) {
	t.Helper()
	if _, err := b.Put(t.Context(), key, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

func itemOf(id, title string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"video","title":%q}`, id, title)
}

func TestWatchFolders(t *testing.T) {
	w := newWorld(t)
	b := newBucket(t, map[string]string{"catalogue/a/item.json": itemOf("a", "anchor"), "catalogue/b/item.json": itemOf("b", "breeze")})
	w.buckets = only("films", b)
	announced := make(chan string, 10)
	watcher := watch(t, w.importer(t), ingest.WatcherConfig{
		Watches: []ingest.Watch{{Tenant: tenant, Source: "s3://films/catalogue", OnMissing: upnext.HideMissing}},
		Announce: func(_ context.Context, _ upnext.Tenant, bucket, prefix string) error {
			announced <- bucket + " " + prefix
			return nil
		},
	})
	soon(t, "the import at the start", func() bool { return w.has(t, "a", "anchor", upnext.Active) && w.has(t, "b", "breeze", upnext.Active) })
	if got := <-announced; got != "films catalogue/" {
		t.Errorf("announced %q, want films catalogue/", got)
	}
	soon(t, "the end of the import", func() bool { return w.imports(t)[0].State == upnext.Succeeded })

	// News bring what they name, and no import of the whole.
	putObject(t, b, "catalogue/c/item.json", itemOf("c", "coral"))
	putObject(t, b, "catalogue/c/transcript.txt", "polyps")
	putObject(t, b, "catalogue/a/item.json", itemOf("a", "anchor two"))
	putObject(t, b, "catalogue/b/item.json", itemOf("b", "without news"))
	b.reads("catalogue/b/item.json")
	for _, key := range []string{"catalogue/c/item.json", "catalogue/c/transcript.txt", "catalogue/a/item.json"} {
		if !watcher.Notice("films", key, false) {
			t.Errorf("news of %s: nobody's", key)
		}
	}
	for _, c := range [][2]string{{"films", "other/x/item.json"}, {"films", "catalogues"}, {"others", "catalogue/x/item.json"}} {
		if watcher.Notice(c[0], c[1], false) {
			t.Errorf("news of %v: taken, want nobody's", c)
		}
	}
	soon(t, "the changed items", func() bool {
		return w.has(t, "c", "coral", upnext.Active) && w.has(t, "a", "anchor two", upnext.Active)
	})
	soon(t, "the new item's words", func() bool { return slices.Equal(w.found(t, "polyps", 1), []upnext.ItemID{"c"}) })
	if n := b.reads("catalogue/b/item.json"); n != 0 || len(w.imports(t)) != 1 {
		t.Errorf("what had no news was read %d times, in %d imports", n, len(w.imports(t)))
	}
	// An import of the same source knows the item as its own.
	if got := w.sourceOf(t, "c"); got != "s3://films/catalogue" {
		t.Errorf("source %q, want the watched one", got)
	}

	// An object that an item.json names changes its item.
	putObject(t, b, "catalogue/c/item.json", `{"id":"c","kind":"video","title":"coral","transcript":"more/words.txt"}`)
	putObject(t, b, "catalogue/c/more/words.txt", "anemone")
	watcher.Notice("films", "catalogue/c/more/words.txt", false)
	soon(t, "the words that the item names", func() bool { return slices.Equal(w.found(t, "anemone", 1), []upnext.ItemID{"c"}) })

	// What was removed goes the way that the watch says, after a look at the whole.
	if err := b.Delete(t.Context(), "catalogue/a/item.json"); err != nil {
		t.Fatal(err)
	}
	watcher.Notice("films", "catalogue/a/item.json", true)
	soon(t, "the removed item hidden", func() bool { return w.has(t, "a", "anchor two", upnext.Hidden) })
	if !w.has(t, "c", "coral", upnext.Active) {
		t.Error("an item that is there was touched")
	}
	soon(t, "what had no news", func() bool { return w.has(t, "b", "without news", upnext.Active) })
}

func (w *world) sourceOf(t *testing.T, id upnext.ItemID) string {
	t.Helper()
	records, err := w.Catalog.Get(t.Context(), tenant, id)
	if err != nil || len(records) != 1 {
		t.Fatalf("%s: %d records, %v", id, len(records), err)
	}
	return records[0].Source
}

// TestWatchWithoutNews checks the backstop.
func TestWatchWithoutNews(t *testing.T) {
	w := newWorld(t)
	b := newBucket(t, map[string]string{"catalogue/a/item.json": itemOf("a", "anchor")})
	w.buckets = only("films", b)
	watch(t, w.importer(t), ingest.WatcherConfig{
		Watches: []ingest.Watch{{Tenant: tenant, Source: "s3://films/catalogue", OnMissing: upnext.DeleteMissing}}, Every: 200 * time.Millisecond,
	})
	soon(t, "the import at the start", func() bool { return w.has(t, "a", "anchor", upnext.Active) })
	putObject(t, b, "catalogue/b/item.json", itemOf("b", "breeze"))
	soon(t, "what came without news", func() bool { return w.has(t, "b", "breeze", upnext.Active) })
	if err := b.Delete(t.Context(), "catalogue/a/item.json"); err != nil {
		t.Fatal(err)
	}
	soon(t, "what went without news", func() bool {
		records, err := w.Catalog.Get(t.Context(), tenant, "a")
		return err == nil && len(records) == 0
	})
}

// TestWatchBeginsEmpty waits for the first object, and follows manifests.
func TestWatchBeginsEmpty(t *testing.T) {
	w := newWorld(t)
	b := newBucket(t, nil)
	w.buckets = only("films", b)
	watcher := watch(t, w.importer(t), ingest.WatcherConfig{Watches: []ingest.Watch{{Tenant: tenant, Source: "s3://films/catalogue"}}})
	putObject(t, b, "catalogue/m.ndjson", itemOf("a", "anchor")+"\n")
	watcher.Notice("films", "catalogue/m.ndjson", false)
	soon(t, "the first manifest", func() bool { return w.has(t, "a", "anchor", upnext.Active) })
	putObject(t, b, "catalogue/m.ndjson", itemOf("a", "anchor")+"\n"+itemOf("b", "breeze")+"\n")
	watcher.Notice("films", "catalogue/m.ndjson", false)
	soon(t, "the longer manifest", func() bool { return w.has(t, "b", "breeze", upnext.Active) })
}

// locks are those of one process.
type locks struct{ held chan struct{} }

func (l locks) Lock(ctx context.Context, _ string) (func(), error) {
	select {
	case l.held <- struct{}{}:
		return func() { <-l.held }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestTwoWatchers watches one source twice, as two processes do: each import
// waits for the other.
func TestTwoWatchers(t *testing.T) {
	w := newWorld(t)
	b := newBucket(t, map[string]string{"catalogue/a/item.json": itemOf("a", "anchor")})
	w.buckets = only("films", b)
	im := w.importer(t)
	c := ingest.WatcherConfig{Watches: []ingest.Watch{{Tenant: tenant, Source: "s3://films/catalogue"}}, Locks: locks{make(chan struct{}, 1)}, Every: 100 * time.Millisecond}
	watch(t, im, c)
	watch(t, im, c)
	soon(t, "several imports", func() bool { return len(w.imports(t)) >= 5 })
	all := w.imports(t) // newest first
	for i, imp := range all[1:] {
		if next := all[i]; next.QueuedAt.Before(imp.EndedAt) && !imp.EndedAt.IsZero() {
			t.Errorf("%s began at %v, before %s had ended at %v", next.ID, next.QueuedAt, imp.ID, imp.EndedAt)
		}
	}
}

func TestNewWatcherRefuses(t *testing.T) {
	for _, c := range []ingest.Watch{
		{Tenant: tenant, Source: "/data"}, {Tenant: tenant, Source: "blob:default/x"}, {Tenant: tenant, Source: "s3://films", OnMissing: "burn"}, {Tenant: tenant, Source: "s3://films", Format: "tape"},
	} {
		if _, err := ingest.NewWatcher(ingest.WatcherConfig{Watches: []ingest.Watch{c}}); !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", c, err)
		}
	}
}
