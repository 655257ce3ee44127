package promql

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"

	"github.com/signalbox-project/signalbox/internal/access"
)

// noting is an engine that says of every query that came in what it asked, gave and cost.
type noting struct{ *promql.Engine }

func (n noting) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, qs string, ts time.Time) (promql.Query, error) {
	access.Note(ctx, access.NoteQuery, qs)
	query, err := n.Engine.NewInstantQuery(ctx, q, opts, qs, ts)
	return noted{query}, err
}

func (n noting) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, qs string, start, end time.Time, step time.Duration) (promql.Query, error) {
	access.Note(ctx, access.NoteQuery, qs)
	query, err := n.Engine.NewRangeQuery(ctx, q, opts, qs, start, end, step)
	return noted{query}, err
}

type noted struct{ promql.Query }

func (n noted) Exec(ctx context.Context) *promql.Result {
	res := n.Query.Exec(ctx)
	if s := n.Stats(); s != nil && s.Samples != nil {
		access.Note(ctx, access.NoteCost, strconv.FormatInt(s.Samples.TotalSamples, 10)+" samples")
	}
	rows := 0
	switch v := res.Value.(type) {
	case promql.Vector:
		rows = len(v)
	case promql.Matrix:
		rows = len(v)
	case promql.Scalar, promql.String:
		rows = 1
	}
	access.Note(ctx, access.NoteRows, strconv.Itoa(rows))
	return res
}

// noteSelectors says what is asked by a form with selectors; those of a GET stand in its URL.
func noteSelectors(r *http.Request) *http.Request {
	if r.Method != http.MethodPost {
		return r
	}
	body, again := keptBody(r)
	if v, err := url.ParseQuery(body); err == nil && len(v["match[]"]) > 0 {
		access.Note(r.Context(), access.NoteQuery, strings.Join(v["match[]"], " or "))
	}
	return again()
}

// keptBody reads a body, which the front bounded and received, and answers requests that read it again.
func keptBody(r *http.Request) (body string, again func() *http.Request) {
	read, err := io.ReadAll(r.Body)
	return string(read), func() *http.Request {
		out := r.Clone(r.Context())
		out.Body = io.NopCloser(io.MultiReader(bytes.NewReader(read), failing{err}))
		return out
	}
}

// failing ends as the body did.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// noteRead says what a remote read asks. What cannot be read is left to the endpoint, which says why.
func noteRead(r *http.Request) *http.Request {
	_, again := keptBody(r)
	req, err := remote.DecodeReadRequest(again())
	if err != nil {
		return again()
	}
	var texts []string
	for _, q := range req.Queries {
		matchers, err := remote.FromLabelMatchers(q.Matchers)
		if err != nil {
			continue
		}
		var parts []string
		for _, m := range matchers {
			parts = append(parts, m.String())
		}
		texts = append(texts, "{"+strings.Join(parts, ",")+"}")
	}
	access.Note(r.Context(), access.NoteAction, "query.remote_read")
	access.Note(r.Context(), access.NoteQuery, strings.Join(texts, " or "))
	return again()
}
