package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"upnext"
)

type batchCommand struct {
	Users    string `required:"" help:"File of users, one a line: a plain id, or a request as POST /v1/recommend takes it." type:"existingfile" placeholder:"FILE"`
	Out      string `required:"" help:"File to write: for each line an answer, or why there is none, in the order of the users." type:"path" placeholder:"FILE"`
	Count    int    `help:"How many items each, where a line does not say." placeholder:"N"`
	Scenario string `help:"Where a line does not say." placeholder:"NAME"`
	Filter   string `help:"Where a line does not say." placeholder:"EXPRESSION"`
	Record   bool   `help:"Keep the answers, as if they were shown."`
	Resume   bool   `help:"Go on behind the last whole line of FILE."`
	Parallel int    `help:"Requests at once; 0 is two a processor." default:"0" placeholder:"N"`
	Tenant   string `help:"Whose; default, where none is named." placeholder:"TENANT"`
}

// Limits of a batch run.
const (
	maxUserLine   = 1 << 20         // bytes
	maxAnswer     = 16 << 20        // bytes
	batchPatience = 2 * time.Minute // for a server that cannot answer
	batchDeadline = 10_000          // ms of a request: an answer late is better than one in part
)

// Run recommends in this process, or through the server that has the data
// directory open.
func (c *batchCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	if c.Parallel < 0 {
		return fmt.Errorf("--parallel %d: negative: %w", c.Parallel, upnext.ErrInvalid)
	}
	users, err := os.Open(c.Users)
	if err != nil {
		return err
	}
	defer users.Close()
	to, done, err := c.output()
	if err != nil {
		return fmt.Errorf("--out %s: %w", c.Out, err)
	}
	from, err := borrow(ctx, s, out, c.Tenant)
	if err != nil {
		return errors.Join(err, to.Close())
	}
	run := &batchRun{batchCommand: c, from: from.remote, skip: done}
	began := time.Now()
	err = run.all(ctx, users, to)
	took := time.Since(began)
	err = errors.Join(err, to.Close(), from.close())
	rate := float64(run.answered+run.failed) / max(took.Seconds(), 1e-9)
	if s.JSON {
		err = errors.Join(err, json.NewEncoder(out.out).Encode(map[string]any{
			"answered": run.answered, "failed": run.failed, "skipped": run.skipped, "seconds": took.Seconds(), "per_second": rate}))
	} else {
		printf(out.out, "%d answers, %d failures, %d there already, in %s: %.0f/s\n", run.answered, run.failed, run.skipped, took.Round(time.Millisecond), rate)
	}
	if err != nil {
		return fmt.Errorf("batch: %w (go on with --resume)", err)
	}
	return nil
}

// output opens the file to write, and says which line of the users it has come
// to. Half a line, of a run that was killed, is cut off.
func (c *batchCommand) output() (f *os.File, done int, err error) {
	if !c.Resume {
		f, err = os.OpenFile(c.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("it is there: --resume goes on with it: %w", upnext.ErrConflict)
		}
		return f, 0, err
	}
	if f, err = os.OpenFile(c.Out, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, 0, err
	}
	in := bufio.NewReaderSize(f, 64<<10)
	var whole int64
	for {
		line, err := in.ReadSlice('\n')
		n := int64(len(line))
		var head struct{ Line int }
		first := bytes.Clone(line[:min(len(line), 40)])
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = in.ReadSlice('\n')
			n += int64(len(line))
		}
		if errors.Is(err, io.EOF) {
			break // nothing more, or half a line
		}
		if err == nil {
			if _, serr := fmt.Sscanf(string(first), `{"line":%d,`, &head.Line); serr != nil || head.Line <= done {
				err = fmt.Errorf("byte %d: not a line of a batch: %w", whole, upnext.ErrConflict)
			}
		}
		if err != nil {
			return nil, 0, errors.Join(err, f.Close())
		}
		done, whole = head.Line, whole+n
	}
	err = f.Truncate(whole)
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, done, nil
}

// batchRun is one run over a file of users.
type batchRun struct {
	*batchCommand
	from                      remote
	skip                      int // lines that are answered already
	answered, failed, skipped int
}

// asked is one line of the users on its way to its answer.
type asked struct {
	line   int
	text   []byte
	long   bool
	answer chan answered // of one
}

type answered struct {
	text   []byte
	failed bool
}

// all asks for every user, several at once, and writes the answers in order.
// What waits for its turn is bounded.
func (b *batchRun) all(ctx context.Context, users io.Reader, to io.Writer) error {
	parallel := b.Parallel
	if parallel == 0 {
		parallel = 2 * runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	work, order := make(chan *asked), make(chan *asked, 4*parallel)
	group.Go(func() error {
		defer close(work)
		defer close(order)
		return b.read(ctx, users, work, order)
	})
	for range parallel {
		group.Go(func() error {
			for a := range work {
				got, err := b.ask(ctx, a)
				if err != nil {
					return fmt.Errorf("line %d: %w", a.line, err)
				}
				a.answer <- got
			}
			return nil
		})
	}
	group.Go(func() error { return b.write(ctx, to, order) })
	return group.Wait()
}

func (b *batchRun) read(ctx context.Context, users io.Reader, work, order chan<- *asked) error {
	in := bufio.NewReaderSize(users, 64<<10)
	for line := 1; ; line++ {
		text, long, err := readBounded(in, maxUserLine)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("%s: line %d: %w", b.Users, line, err)
		}
		if text = bytes.TrimSpace(text); line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) > 0 && line <= b.skip {
			b.skipped++
		} else if len(text) > 0 || long {
			a := &asked{line: line, text: text, long: long, answer: make(chan answered, 1)}
			for _, to := range []chan<- *asked{order, work} {
				select {
				case to <- a:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		if last {
			return nil
		}
	}
}

// readBounded reads a line. One over limit is read to its end, cut and marked.
func readBounded(in *bufio.Reader, limit int) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line) <= limit {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, len(line) > limit+1, err
		}
	}
}

// write writes the answers in the order of their users. What it has written
// is whole lines, also when it ends early.
func (b *batchRun) write(ctx context.Context, to io.Writer, order <-chan *asked) (err error) {
	out := bufio.NewWriterSize(to, 1<<20)
	defer func() { err = errors.Join(err, out.Flush()) }()
	for a := range order {
		select {
		case got := <-a.answer:
			if _, err := out.Write(append(got.text, '\n')); err != nil {
				return err
			}
			if got.failed {
				b.failed++
			} else {
				b.answered++
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// request makes the body of a line: what the line says, then what the command
// line says. user is whom it is for, as far as that can be read.
func (b *batchRun) request(a *asked) (body []byte, user map[string]any, err error) {
	if a.long {
		return nil, nil, fmt.Errorf("longer than %d bytes: %w", maxUserLine, upnext.ErrInvalid)
	}
	fields := map[string]any{}
	if a.text[0] == '{' {
		if err := json.Unmarshal(a.text, &fields); err != nil {
			return nil, nil, fmt.Errorf("not a JSON object: %v: %w", err, upnext.ErrInvalid)
		}
	} else {
		fields["user_id"] = string(a.text)
	}
	user = map[string]any{}
	for _, name := range []string{"user_id", "anonymous_id"} {
		if id, ok := fields[name].(string); ok {
			user[name] = id
		}
	}
	if len(user) == 0 {
		return nil, user, fmt.Errorf("user_id: missing (or anonymous_id): %w", upnext.ErrInvalid)
	}
	for name, v := range map[string]any{"count": b.Count, "scenario": b.Scenario, "filter": b.Filter, "deadline_ms": batchDeadline} {
		if _, says := fields[name]; !says && v != 0 && v != "" {
			fields[name] = v
		}
	}
	if _, says := fields["record"]; !says && !b.Record {
		fields["record"] = false
	}
	body, err = json.Marshal(fields)
	return body, user, err
}

// ask asks for one line, again while the server cannot answer. Its error ends
// the run; what is wrong with the line is its answer.
func (b *batchRun) ask(ctx context.Context, a *asked) (answered, error) {
	body, user, err := b.request(a)
	if err != nil {
		problem, _ := json.Marshal(map[string]any{"status": http.StatusUnprocessableEntity, "detail": err.Error()}) // plain: cannot fail
		return b.line(a, user, "error", problem)
	}
	patience, wait := time.Now().Add(batchPatience), 50*time.Millisecond
	for {
		status, answer, err := b.once(ctx, body)
		switch {
		case ctx.Err() != nil:
			return answered{}, ctx.Err()
		case err == nil && status == http.StatusOK:
			return b.line(a, user, "", answer)
		case err == nil && status == http.StatusUnauthorized:
			return answered{}, refusal(http.MethodPost, "/v1/recommend", http.StatusText(status), answer)
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			return b.line(a, user, "error", answer)
		case time.Now().After(patience):
			if err == nil {
				err = refusal(http.MethodPost, "/v1/recommend", http.StatusText(status), answer)
			}
			return answered{}, err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return answered{}, ctx.Err()
		}
		wait = min(2*wait, 5*time.Second)
	}
}

func (b *batchRun) once(ctx context.Context, body []byte) (int, []byte, error) {
	resp, err := b.from.send(ctx, http.MethodPost, "/v1/recommend", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, raw, err
}

// line puts the line's number and user in front of an answer, or makes it a
// field of that name.
func (b *batchRun) line(a *asked, user map[string]any, field string, answer []byte) (answered, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, answer); err != nil {
		return answered{}, fmt.Errorf("an answer that is not JSON: %.200q: %w", answer, upnext.ErrUnavailable)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `{"line":%d,`, a.line)
	for name, id := range user {
		raw, err := json.Marshal(id)
		if err != nil {
			return answered{}, err
		}
		fmt.Fprintf(&out, "%q:%s,", name, raw)
	}
	if field != "" {
		fmt.Fprintf(&out, "%q:%s}", field, compact.Bytes())
	} else {
		out.Write(compact.Bytes()[1:])
	}
	return answered{[]byte(out.String()), field != ""}, nil
}
