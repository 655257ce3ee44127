package telemetry

import (
	"context"
	"log/slog"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// maskHandler takes secrets out of what is logged, wherever it comes from:
// errors of libraries quote the URLs that they were given.
type maskHandler struct{ next slog.Handler }

func (h maskHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h maskHandler) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, redact.Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(mask(a))
		return true
	})
	return h.next.Handle(ctx, masked)
}

func (h maskHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = mask(a)
	}
	return maskHandler{h.next.WithAttrs(masked)}
}

func (h maskHandler) WithGroup(name string) slog.Handler {
	return maskHandler{h.next.WithGroup(name)}
}

// mask changes an attribute only if there is something to mask, so that numbers stay numbers.
func mask(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString, slog.KindAny:
		text := v.String()
		if v.Kind() == slog.KindString && text != "" && redact.Secret(a.Key) {
			return slog.String(a.Key, redact.Mask)
		}
		if safe := redact.Text(text); safe != text {
			return slog.String(a.Key, safe)
		}
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, g := range v.Group() {
			group[i] = mask(g)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(group...)}
	}
	return a
}
