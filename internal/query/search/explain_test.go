package search

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// spanOf is a span of a service from one ms to another.
func spanOf(id, parent byte, service string, kind model.SpanKind, from, to int64) model.Span {
	s := model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{id}, Name: "op", Kind: kind,
		Start: from * int64(time.Millisecond), Duration: (to - from) * int64(time.Millisecond), Resource: &model.Resource{Service: service},
	}
	if parent > 0 {
		s.ParentID = model.SpanID{parent}
	}
	return s
}

func failed(s model.Span, msg string) model.Span {
	s.Status, s.StatusMessage = model.StatusError, msg
	return s
}

func with(s model.Span, key, value string) model.Span {
	s.Attrs = model.Attrs{{Key: key, Value: model.StringValue(value)}}
	return s
}

func TestATraceIsExplainedInOneSentence(t *testing.T) {
	const server, client, producer, consumer = model.SpanKindServer, model.SpanKindClient, model.SpanKindProducer, model.SpanKindConsumer
	for _, c := range []struct {
		name, want string
		spans      []model.Span
	}{
		{"nothing to explain", "", nil},
		{"one span has no parts", "12 ms.", []model.Span{spanOf(1, 0, "edge", server, 0, 12)}},
		{"another service takes the time, its call's overhead included", "812 ms, 640 of them waiting for file-server.", []model.Span{
			spanOf(1, 0, "edge", server, 0, 812), spanOf(2, 1, "edge", client, 100, 740), spanOf(3, 2, "file-server", server, 110, 730),
		}},
		{"the service itself takes the time", "100 ms, 90 of them in edge itself.", []model.Span{
			spanOf(1, 0, "edge", server, 0, 100), spanOf(2, 1, "files", server, 10, 20),
		}},
		{"of parallel calls the last to end counts", "100 ms, 90 of them waiting for slow.", []model.Span{
			spanOf(1, 0, "edge", server, 0, 100), spanOf(2, 1, "fast", server, 5, 60), spanOf(3, 1, "slow", server, 5, 95),
		}},
		{"a call without a span below counts for the callee", "100 ms, 80 of them waiting for postgresql.", []model.Span{
			spanOf(1, 0, "edge", server, 0, 100), with(spanOf(2, 1, "edge", client, 10, 90), "db.system.name", "postgresql"),
		}},
		{"time in a queue", "20.0 s, 19.0 of them waiting in a queue.", []model.Span{
			spanOf(1, 0, "edge", producer, 0, 500), spanOf(2, 1, "worker", consumer, 19500, 20000),
		}},
		{"clocks that disagree do not give more than there is", "140 ms, 100 of them waiting for files.", []model.Span{
			spanOf(1, 0, "edge", server, 0, 100), spanOf(2, 1, "files", server, -10, 130),
		}},
		{"a parent that is missing", "60 ms, 50 of them in edge itself.", []model.Span{
			spanOf(2, 9, "edge", server, 0, 60), spanOf(3, 2, "files", server, 10, 20),
		}},
		{"spans in a circle", "10 ms.", []model.Span{spanOf(1, 2, "edge", server, 0, 10), spanOf(2, 1, "edge", server, 0, 10)}},
		{"the first error is where it began", "50 ms, nearly all of them in edge itself; 2 errors, the first in files: disk full.", []model.Span{
			failed(spanOf(1, 0, "edge", server, 0, 50), "500"), failed(spanOf(2, 1, "files", server, 10, 10), "disk\n full."),
		}},
		{"one error without a message", "5.0 ms; 1 error, in edge.", []model.Span{failed(spanOf(1, 0, "edge", server, 0, 5), "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ExplainTrace(c.spans); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestALongChainIsExplainedWithoutADeepStack(t *testing.T) {
	const n = 200_000
	spans := make([]model.Span, n)
	for i := range spans {
		spans[i] = spanOf(1, 0, "edge", model.SpanKindInternal, 0, 1000)
		spans[i].SpanID = model.SpanID{byte(i), byte(i >> 8), byte(i >> 16), 1}
		if i > 0 {
			spans[i].ParentID = spans[i-1].SpanID
		}
	}
	if got := ExplainTrace(spans); !strings.HasPrefix(got, "1000 ms, nearly all") {
		t.Error(got)
	}
}
