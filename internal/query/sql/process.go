package sql

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
)

// workerProcess is a worker as its parent sees it.
type workerProcess struct {
	engine *Engine
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	send   *gob.Encoder
	recv   *json.Decoder
	stderr *headBuffer
}

// startWorker starts a worker, which is killed when ctx is done.
func (e *Engine) startWorker(ctx context.Context) (*workerProcess, error) {
	gob.Register(time.Time{})
	cmd := exec.CommandContext(ctx, e.deps.Worker[0], e.deps.Worker[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GOMAXPROCS=2", "GOMEMLIMIT=256MiB"}
	cmd.Env = append(cmd.Env, workerEnv+"=1")
	cmd.WaitDelay = time.Second
	w := &workerProcess{engine: e, cmd: cmd, stderr: &headBuffer{}}
	cmd.Stderr = w.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start sql worker: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start sql worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sql worker: %w", err)
	}
	w.stdin, w.send = stdin, gob.NewEncoder(stdin)
	w.recv = json.NewDecoder(io.LimitReader(stdout, 2*maxAnswerBytes))
	return w, nil
}

// ask sends a message and reads the reply to it. After an error the worker is done with.
func (w *workerProcess) ask(ctx context.Context, message any) (reply, error) {
	var r reply
	sendErr := w.send.Encode(message)
	readErr := w.recv.Decode(&r)
	switch {
	case readErr != nil:
		waitErr := w.end()
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		return r, w.engine.workerDied(errors.Join(sendErr, readErr, waitErr), w.stderr.String())
	case r.Bad != nil:
		return r, r.Bad
	case r.Error != "" && ctx.Err() == nil:
		return r, errors.New("sql worker: " + r.Error)
	}
	return r, ctx.Err()
}

// end lets the worker end and waits for it.
func (w *workerProcess) end() error { return errors.Join(w.stdin.Close(), w.cmd.Wait()) }

// runWorker has a worker check the query and then answer it.
func (e *Engine) runWorker(ctx context.Context, tenant, query string, limit int) (answer.SQLResult, error) {
	w, err := e.startWorker(ctx)
	if err != nil {
		return answer.SQLResult{}, err
	}
	defer func() { _ = w.end() }() // it was asked all, or its end is known
	r, err := w.ask(ctx, question{Config: e.cfg, Query: query})
	if err != nil {
		return answer.SQLResult{}, err
	}
	if r.Plan == nil {
		return answer.SQLResult{}, errors.New("sql worker: it gave no plan")
	}
	j, release, err := e.prepare(ctx, tenant, *r.Plan, r.Ranges, limit)
	if err != nil {
		return answer.SQLResult{}, err
	}
	defer release()
	if r, err = w.ask(ctx, j); err != nil {
		return answer.SQLResult{}, err
	}
	res := answer.SQLResult{Columns: r.Columns, Truncated: r.Truncated, Rows: make([][]any, len(r.Rows))}
	for i, row := range r.Rows {
		res.Rows[i] = make([]any, len(row))
		for k, cell := range row {
			res.Rows[i][k] = cell
		}
	}
	return res, nil
}

// workerDied says why there is no reply. A worker that meets its memory limit
// is ended by the Go runtime with words about memory, or crashes in DuckDB where
// an allocation is not checked; the latter cannot be told from other crashes.
func (e *Engine) workerDied(err error, stderr string) error {
	lower := strings.ToLower(stderr)
	for _, sign := range []string{"out of memory", "cannot allocate memory", "bad_alloc", "errno=12", "enomem"} {
		if strings.Contains(lower, sign) {
			return memoryError()
		}
	}
	err = fmt.Errorf("sql worker ended without a reply: %w; it wrote: %s", err, firstParagraph(stderr))
	for _, sign := range []string{"sigsegv", "sigabrt", "sigbus", "terminate called", "signal: "} {
		if strings.Contains(lower, sign) || strings.Contains(err.Error(), sign) {
			e.log.Error("a query crashed its worker", "err", err)
			return &Error{
				Message: "the query ended its worker process, most likely because it needs more memory than it may use", At: -1, Kind: "crash",
				Advice: "narrow the time range, select fewer columns, or aggregate",
			}
		}
	}
	return err
}

// headBuffer keeps the beginning of what a process writes, where a crash says
// what it is.
type headBuffer struct{ buf bytes.Buffer }

func (t *headBuffer) Write(b []byte) (int, error) {
	if room := 4096 - t.buf.Len(); room > 0 {
		t.buf.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

func (t *headBuffer) String() string { return t.buf.String() }
