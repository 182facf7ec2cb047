package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestDemoInABrowser clicks through the demo as a newcomer would. What one
// step leaves behind the next ones need, so they are one test.
func TestDemoInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the demo and a browser")
	}
	chromium := findChromium(t)
	url := startDemo(t)
	b := startBrowser(t, chromium)

	b.open(url)
	b.choose("viewer-03")
	b.thumbnails()
	liked := b.like()
	topic := b.notInterested()
	b.watch()
	b.find()
	b.moreLikeThis()
	b.beliefs(liked, topic)
	b.imports()
	b.models()
	b.measures()
	b.rows()
	b.keyboard()
	b.chinese()
	b.docs(url)
	b.phone(url)
	b.dark(url)
	b.quiet()
}

// findChromium skips where there is none, and fails where CI promises one.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium in PATH, and CI is set")
	}
	t.Skip("no Chromium in PATH")
	return ""
}

// startDemo runs `upnext demo` in this process until the test ends, and
// returns its address.
func startDemo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() // before the cleanup below, and so removed after it
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var progress strings.Builder // read after run has returned only
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--data-dir", dir}, in, &progress)
		in.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, out) }() // nobody reads what it says at its end
		if err := <-ended; err != nil {
			t.Errorf("demo ended with %v\n%s", err, progress.String())
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			url, _, _ := strings.Cut(rest, " ")
			return url
		}
	}
	t.Fatal("the demo never said that it is ready")
	return ""
}

// visitor drives one tab and remembers what went wrong in it.
type visitor struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

func startBrowser(t *testing.T, chromium string) *visitor {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"), chromedp.WindowSize(1280, 900))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	b := &visitor{t: t, ctx: ctx}
	// Exceptions, console.error, failed requests and violations of the content
	// security policy: a good page has none.
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.problem("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				b.problem("console: %v", e.Args)
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				b.problem("log: %s %s", e.Entry.Text, e.Entry.URL)
			}
		}
	}); err != nil {
		t.Fatalf("start %s: %v", chromium, err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *visitor) problem(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *visitor) quiet() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Error(p)
	}
}

func (b *visitor) do(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		b.t.Fatalf("%s: %v%s", what, err, b.look())
	}
}

// click waits until no card glides any more: a moving target is missed.
func (b *visitor) click(selector string) {
	b.t.Helper()
	b.wait("the cards stand still", `document.getAnimations().every((a) => !a.effect.target?.matches(".card"))`)
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// wait polls a JavaScript predicate until it holds.
func (b *visitor) wait(what, predicate string) {
	b.t.Helper()
	b.do(what+": "+predicate, chromedp.Poll[chromedp.Void]("Boolean("+predicate+")", chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(15*time.Second)))
}

// look says what the page shows, for a failure's sake.
func (b *visitor) look() string {
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.hash + "\n" + document.getElementById("view")?.innerText.slice(0, 1200)`))
	if err != nil {
		return ""
	}
	return "\nthe page: " + text
}

// read evaluates JavaScript.
func read[T any](b *visitor, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *visitor) size(width, height int64, options ...chromedp.EmulateViewportOption) {
	b.t.Helper()
	b.do("resize", chromedp.EmulateViewport(width, height, options...))
}

func (b *visitor) prefers(scheme string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		b.t.Fatal(err)
	}
}
