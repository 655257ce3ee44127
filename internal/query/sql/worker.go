package sql

import (
	"bufio"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signalbox-project/signalbox/internal/query/sql/answer"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store"
)

// workerOverhead is what a worker may use beside what it has at its start and
// DuckDB's memory: the Go heap, the answer being encoded, stacks of threads.
const workerOverhead = 256 << 20

// maxAnswerBytes bounds an answer's JSON.
const maxAnswerBytes = 64 << 20

// question is what a worker reads first, as gob.
type question struct {
	Config Config
	Query  string
}

// reply is what a worker writes, twice: after the question its plan, after the
// job the rows; or, either time, what is wrong.
type reply struct {
	Plan      *guard.Plan            `json:"plan,omitempty"`
	Ranges    map[string]store.Range `json:"ranges,omitempty"` // of the plan's tables; absent for all times
	Columns   []answer.SQLColumn     `json:"columns,omitempty"`
	Rows      [][]json.RawMessage    `json:"rows,omitempty"`
	Truncated bool                   `json:"truncated,omitempty"`
	Bad       *Error                 `json:"bad,omitempty"`   // the query's fault
	Error     string                 `json:"error,omitempty"` // ours
}

// ServeWorker is the whole of a worker process: it reads a question from in and writes a plan to out,
// reads the job and writes its answer, and returns. It returns at once when in ends, which tells that
// the parent is gone or wants no more; the process must then exit. It limits the process's own memory.
func ServeWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	gob.Register(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A buffered reader would take what tells the parent's end; gob reads
	// exactly its messages from an io.ByteReader.
	br := bufio.NewReader(in)
	dec := gob.NewDecoder(br)
	var q question
	if err := dec.Decode(&q); err != nil {
		return fmt.Errorf("read question: %w", err)
	}
	if err := limitGrowth(uint64(q.Config.MemoryBytes) + workerOverhead); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	jobs, done := make(chan *job, 1), make(chan error, 2)
	go func() {
		var j job
		if err := dec.Decode(&j); err != nil {
			done <- fmt.Errorf("read job: %w", err)
			return
		}
		jobs <- &j
		_, _ = br.ReadByte() // nothing follows the job but its end
		done <- errors.New("parent is gone")
	}()
	go func() { done <- q.serve(ctx, jobs, out) }()
	return <-done
}

// serve answers the question and then the job.
func (q *question) serve(ctx context.Context, jobs <-chan *job, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(q.Config.Timeout))
	defer cancel()
	enc := json.NewEncoder(out)
	s, err := openSession(ctx, q.Config)
	if err != nil {
		return enc.Encode(faultReply(ctx, err))
	}
	defer s.close()
	p, ranges, err := s.plan(ctx, q.Config, q.Query)
	if err != nil {
		return enc.Encode(faultReply(ctx, err))
	}
	if err := enc.Encode(reply{Plan: &p, Ranges: ranges}); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	select {
	case j := <-jobs:
		if err := enc.Encode(j.answer(ctx, s)); err != nil {
			return fmt.Errorf("write reply: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func faultReply(ctx context.Context, err error) reply {
	var bad *Error
	if err = explain(ctx, err); errors.As(err, &bad) {
		return reply{Bad: bad}
	}
	return reply{Error: err.Error()}
}

// answer runs the job and never fails: errors become part of the reply.
func (j *job) answer(ctx context.Context, s *session) reply {
	res, err := j.run(ctx, s)
	if err != nil {
		return faultReply(ctx, err)
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
				return reply{Bad: &Error{Message: "the answer is larger than 64 MB", At: -1, Kind: "memory", Advice: "ask for fewer rows or columns"}}
			}
			out.Rows[i][k] = text
		}
	}
	return out
}

// workerEnv marks a worker process, so that a test binary knows itself as one.
const workerEnv = "SIGNALBOX_SQL_WORKER"
