package telemetry

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/signalbox-project/signalbox/internal/model"
)

// teeHandler writes to the console and to the feed.
type teeHandler struct {
	console slog.Handler
	feed    *feed
	attrs   []slog.Attr
	group   string
}

func (h teeHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.console.Enabled(ctx, l) }

func (h teeHandler) Handle(ctx context.Context, r slog.Record) error {
	h.feed.take(ctx, r, h.attrs, h.group)
	return h.console.Handle(ctx, r)
}

func (h teeHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.console = h.console.WithAttrs(attrs)
	h.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		h.attrs = append(h.attrs, a)
	}
	return h
}

func (h teeHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	h.console = h.console.WithGroup(name)
	h.group += name + "."
	return h
}

func appendAttr(to model.Attrs, prefix string, a slog.Attr) model.Attrs {
	v := a.Value.Resolve()
	var out model.Value
	switch v.Kind() {
	case slog.KindInt64:
		out = model.IntValue(v.Int64())
	case slog.KindUint64:
		out = model.IntValue(int64(v.Uint64()))
	case slog.KindFloat64:
		out = model.FloatValue(v.Float64())
	case slog.KindBool:
		out = model.BoolValue(v.Bool())
	case slog.KindGroup:
		for _, g := range v.Group() {
			to = appendAttr(to, prefix+a.Key+".", g)
		}
		return to
	default:
		out = model.StringValue(v.String())
	}
	return append(to, model.Attr{Key: prefix + a.Key, Value: out})
}

func levelOf(l slog.Level) model.Level {
	switch {
	case l >= slog.LevelError:
		return model.LevelError
	case l >= slog.LevelWarn:
		return model.LevelWarn
	case l >= slog.LevelInfo:
		return model.LevelInfo
	}
	return model.LevelDebug
}

func attrValue(v attribute.Value) model.Value {
	switch v.Type() {
	case attribute.BOOL:
		return model.BoolValue(v.AsBool())
	case attribute.INT64:
		return model.IntValue(v.AsInt64())
	case attribute.FLOAT64:
		return model.FloatValue(v.AsFloat64())
	case attribute.STRING:
		return model.StringValue(v.AsString())
	}
	text, err := json.Marshal(v.AsInterface())
	if err != nil {
		return model.StringValue(err.Error())
	}
	return model.JSONValue(string(text))
}

func spanStatus(s sdktrace.Status) model.SpanStatus {
	switch s.Code {
	case codes.Ok:
		return model.StatusOK
	case codes.Error:
		return model.StatusError
	}
	return model.StatusUnset
}
