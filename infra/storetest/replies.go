package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"upnext"
)

func testReplies(t *testing.T, open Open) {
	t.Run("claims", func(t *testing.T) { replyClaims(t, open(t, "replies")) })
	t.Run("at once", func(t *testing.T) { replyAtOnce(t, open(t, "replies")) })
	t.Run("gone", func(t *testing.T) { replyGone(t, open(t, "replies")) })
	t.Run("reopen", func(t *testing.T) { replyReopen(t, open) })
}

func claimed(key string, at time.Time) upnext.Claim {
	return upnext.Claim{Key: key, Digest: "d", At: at}
}

// takes claims and says how it must end.
func takes(t failer, s Stores, tenant upnext.Tenant, what string, c upnext.Claim, reply upnext.Reply, taken bool, kind error) {
	t.Helper()
	got, claimed, err := s.Replies.Claim(t.Context(), tenant, c)
	is(t, what, err, kind)
	want(t, what+": claimed", claimed, taken)
	want(t, what+": reply", got, reply)
}

// replyClaims goes through the life of a key.
func replyClaims(t *testing.T, s Stores) {
	ctx, none := t.Context(), upnext.Reply{}
	first := claimed("k", noon)
	takes(t, s, a, "a new key", first, none, true, nil)
	takes(t, s, a, "while it is answered", claimed("k", noon.Add(time.Second)), none, false, upnext.ErrConflict)
	takes(t, s, b, "another tenant's", claimed("k", noon), none, true, nil)
	other := claimed("k", noon.Add(time.Second))
	other.Digest = "e"
	takes(t, s, a, "another request, while it is answered", other, none, false, upnext.ErrInvalid)

	ok(t, "release", s.Replies.Release(ctx, a, first))
	second := claimed("k", noon.Add(time.Second))
	takes(t, s, a, "after a release", second, none, true, nil)
	ok(t, "release of what is taken over", s.Replies.Release(ctx, a, first))
	ok(t, "keep of what is taken over", s.Replies.Keep(ctx, a, first, upnext.Reply{Status: 500}))
	reply := upnext.Reply{Status: 201, Type: "application/json", Body: []byte("{\"a\":\"\\u0000中\"}\x00\xff"), Viewer: upnext.ViewerID{ID: "中", Anonymous: true}}
	ok(t, "keep", s.Replies.Keep(ctx, a, second, reply))
	ok(t, "keep again", s.Replies.Keep(ctx, a, second, upnext.Reply{Status: 500}))
	ok(t, "release after keep", s.Replies.Release(ctx, a, second))
	takes(t, s, a, "the same again", claimed("k", noon.Add(time.Minute)), reply, false, nil)
	other.At = noon.Add(time.Minute)
	takes(t, s, a, "another request", other, none, false, upnext.ErrInvalid)
	takes(t, s, a, "within the day", claimed("k", second.At.Add(upnext.KeepReply)), reply, false, nil)
	other.At = second.At.Add(upnext.KeepReply + time.Microsecond)
	takes(t, s, a, "after the day", other, none, true, nil)

	dead := claimed("dead", noon)
	takes(t, s, a, "of a server that dies", dead, none, true, nil)
	takes(t, s, a, "as long as it may live", claimed("dead", noon.Add(upnext.AbandonClaim)), none, false, upnext.ErrConflict)
	heir := claimed("dead", noon.Add(upnext.AbandonClaim+time.Microsecond))
	takes(t, s, a, "after that", heir, none, true, nil)
	ok(t, "keep of the dead", s.Replies.Keep(ctx, a, dead, reply))
	ok(t, "keep of the heir", s.Replies.Keep(ctx, a, heir, upnext.Reply{Status: 200, Lost: true}))
	takes(t, s, a, "the heir's", claimed("dead", heir.At.Add(time.Second)), upnext.Reply{Status: 200, Lost: true}, false, nil)

	_, _, err := s.Replies.Claim(ctx, a, claimed("a\x00", noon))
	is(t, "a key with NUL", err, upnext.ErrInvalid)
}

// replyAtOnce claims one key many times at once: one gets it.
func replyAtOnce(t *testing.T, s Stores) {
	for round := range 10 {
		var won, waiting atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, claimed, err := s.Replies.Claim(t.Context(), a, claimed(fmt.Sprint("k", round), noon.Add(time.Duration(i)*time.Microsecond)))
				if claimed {
					won.Add(1)
				} else {
					waiting.Add(1)
					is(t, "the others", err, upnext.ErrConflict)
				}
			})
		}
		wg.Wait()
		want(t, "who got it", won.Load(), 1)
		want(t, "who did not", waiting.Load(), 7)
	}
}

// replyGone erases and prunes.
func replyGone(t *testing.T, s Stores) {
	ctx := t.Context()
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob"}
	put := func(tenant upnext.Tenant, key string, at time.Time, r upnext.Reply) {
		t.Helper()
		takes(t, s, tenant, key, claimed(key, at), upnext.Reply{}, true, nil)
		if r.Status != 0 {
			ok(t, "keep "+key, s.Replies.Keep(ctx, tenant, claimed(key, at), r))
		}
	}
	left := func(tenant upnext.Tenant, key string) bool {
		t.Helper()
		_, claimed, err := s.Replies.Claim(ctx, tenant, upnext.Claim{Key: key, Digest: "another", At: noon.Add(time.Hour)})
		if claimed { // put it back as it was
			ok(t, "release", s.Replies.Release(ctx, tenant, upnext.Claim{Key: key, At: noon.Add(time.Hour)}))
		} else {
			is(t, key, err, upnext.ErrInvalid)
		}
		return !claimed
	}
	put(a, "ann", noon, upnext.Reply{Status: 200, Viewer: ann})
	put(a, "bob", noon, upnext.Reply{Status: 200, Viewer: bob})
	put(b, "ann", noon, upnext.Reply{Status: 200, Viewer: ann})
	put(a, "nobody", noon, upnext.Reply{Status: 200})
	n, err := s.Replies.EraseReplies(ctx, a, ann)
	ok(t, "erase", err)
	want(t, "erased", n, 1)
	n, err = s.Replies.EraseReplies(ctx, a, upnext.ViewerID{})
	ok(t, "erase nobody", err)
	want(t, "erased of nobody", n, 0)
	for key, still := range map[string]bool{"ann": false, "bob": true, "nobody": true} {
		want(t, key+" is left", left(a, key), still)
	}
	want(t, "another tenant's is left", left(b, "ann"), true)

	n, err = s.Replies.PruneReplies(ctx, noon.Add(time.Microsecond), 1<<40)
	ok(t, "prune by time", err)
	want(t, "pruned by time, in every tenant", n, 3)

	long := bytes.Repeat([]byte("x"), 10_000)
	for i := range 5 {
		put(a, fmt.Sprint("long", i), noon.Add(time.Hour-time.Duration(i+2)*time.Second), upnext.Reply{Status: 200, Body: long})
	}
	put(a, "open", noon.Add(time.Hour-time.Minute), upnext.Reply{})
	put(b, "few", noon.Add(time.Minute), upnext.Reply{Status: 200, Body: long})
	n, err = s.Replies.PruneReplies(ctx, noon, 33_000)
	ok(t, "prune by bytes", err)
	want(t, "pruned by bytes", n, 2)
	for key, still := range map[string]bool{"long0": true, "long2": true, "long3": false, "long4": false} {
		want(t, key+" is left", left(a, key), still)
	}
	want(t, "a tenant with few is left alone", left(b, "few"), true)
	takes(t, s, a, "a request under way is left alone", claimed("open", noon.Add(time.Hour-59*time.Second)), upnext.Reply{}, false, upnext.ErrConflict)
}

// replyReopen: a reply survives a restart, and so does a claim.
func replyReopen(t *testing.T, open Open) {
	s := open(t, "replies")
	takes(t, s, a, "kept", claimed("kept", noon), upnext.Reply{}, true, nil)
	takes(t, s, a, "open", claimed("open", noon), upnext.Reply{}, true, nil)
	reply := upnext.Reply{Status: 202, Type: "application/json", Body: []byte("{}")}
	ok(t, "keep", s.Replies.Keep(t.Context(), a, claimed("kept", noon), reply))
	ok(t, "close", s.Close())
	s = open(t, "replies")
	takes(t, s, a, "kept, later", claimed("kept", noon.Add(time.Second)), reply, false, nil)
	takes(t, s, a, "open, later", claimed("open", noon.Add(time.Second)), upnext.Reply{}, false, upnext.ErrConflict)
}
