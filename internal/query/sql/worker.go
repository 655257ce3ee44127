package sql

import (
	"bufio"
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

	"github.com/signalbox-project/signalbox/internal/model"
)

// workerOverhead is what a worker may use beside what it has at its start and
// DuckDB's memory: the Go heap, the answer being encoded, stacks of threads.
const workerOverhead = 256 << 20

// maxAnswerBytes bounds an answer's JSON.
const maxAnswerBytes = 64 << 20

// reply is what a worker writes: one of its fields.
type reply struct {
	Columns   []model.SQLColumn   `json:"columns,omitempty"`
	Rows      [][]json.RawMessage `json:"rows,omitempty"`
	Truncated bool                `json:"truncated,omitempty"`
	Bad       *Error              `json:"bad,omitempty"`   // the query's fault, with its kind below
	Kind      string              `json:"kind,omitempty"`  // of Bad
	Error     string              `json:"error,omitempty"` // ours
}

// ServeWorker is the whole of a worker process: it reads one job from in,
// answers it on out and returns. It returns at once when in ends, which tells that the
// parent is gone; the process must then exit. It limits the process's own memory.
func ServeWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	gob.Register(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A buffered reader would take what tells the parent's end; gob reads
	// exactly its messages from an io.ByteReader.
	br := bufio.NewReader(in)
	var j job
	if err := gob.NewDecoder(br).Decode(&j); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if err := limitGrowth(uint64(j.Config.MemoryBytes) + workerOverhead); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	done := make(chan error, 2)
	go func() {
		_, _ = br.ReadByte() // nothing follows the job but its end
		done <- errors.New("parent is gone")
	}()
	go func() { done <- writeReply(out, j.answer(ctx)) }()
	return <-done
}

// answer runs the job and never fails: errors become part of the reply.
func (j *job) answer(ctx context.Context) reply {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(j.Config.Timeout))
	defer cancel()
	res, err := j.run(ctx)
	if err != nil {
		var bad *Error
		if err = explain(ctx, err); errors.As(err, &bad) {
			return reply{Bad: bad, Kind: bad.kind}
		}
		return reply{Error: err.Error()}
	}
	out := reply{Columns: res.Columns, Truncated: res.Truncated, Rows: make([][]json.RawMessage, len(res.Rows))}
	size := 0
	for i, row := range res.Rows {
		out.Rows[i] = make([]json.RawMessage, len(row))
		for k, cell := range row {
			text, err := json.Marshal(cell)
			if err != nil {
				return reply{Error: fmt.Sprintf("encode cell %T: %v", cell, err)}
			}
			if size += len(text); size > maxAnswerBytes {
				return reply{Bad: &Error{Message: "the answer is larger than 64 MB", At: -1, Advice: "ask for fewer rows or columns"}, Kind: "memory"}
			}
			out.Rows[i][k] = text
		}
	}
	return out
}

func writeReply(out io.Writer, r reply) error {
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return fmt.Errorf("write reply: %w", err)
	}
	return nil
}

// runWorker has a process answer the job; it is killed when ctx is done.
func (e *Engine) runWorker(ctx context.Context, j *job) (model.SQLResult, error) {
	gob.Register(time.Time{})
	cmd := exec.CommandContext(ctx, e.deps.Worker[0], e.deps.Worker[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GOMAXPROCS=2", "GOMEMLIMIT=256MiB"}
	cmd.Env = append(cmd.Env, workerEnv+"=1")
	cmd.WaitDelay = time.Second
	stderr := &headBuffer{}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return model.SQLResult{}, fmt.Errorf("start sql worker: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return model.SQLResult{}, fmt.Errorf("start sql worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return model.SQLResult{}, fmt.Errorf("start sql worker: %w", err)
	}
	var r reply
	sendErr := gob.NewEncoder(stdin).Encode(j)
	readErr := json.NewDecoder(io.LimitReader(stdout, 2*maxAnswerBytes)).Decode(&r)
	closeErr := stdin.Close()
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return model.SQLResult{}, ctx.Err()
	case readErr != nil:
		return model.SQLResult{}, e.workerDied(errors.Join(sendErr, readErr, closeErr, waitErr), stderr.String())
	case r.Bad != nil:
		r.Bad.kind = r.Kind
		return model.SQLResult{}, r.Bad
	case r.Error != "":
		return model.SQLResult{}, errors.New("sql worker: " + r.Error)
	}
	res := model.SQLResult{Columns: r.Columns, Truncated: r.Truncated, Rows: make([][]any, len(r.Rows))}
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
				Message: "the query ended its worker process, most likely because it needs more memory than it may use", At: -1, kind: "crash",
				Advice: "narrow the time range, select fewer columns, or aggregate",
			}
		}
	}
	return err
}

// workerEnv marks a worker process, so that a test binary knows itself as one.
const workerEnv = "SIGNALBOX_SQL_WORKER"

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
