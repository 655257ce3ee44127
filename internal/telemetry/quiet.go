package telemetry

import (
	"context"
	"log/slog"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Quiet is a logger for a part that tells more than its users want to know: what it says
// as information is logged at debug level, warnings and errors as they are. A nil logger stays silent.
func Quiet(log *slog.Logger) *slog.Logger {
	if log == nil {
		return instrument.Silent()
	}
	return slog.New(quietHandler{log.Handler()})
}

type quietHandler struct{ slog.Handler }

func demoted(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

func (h quietHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, demoted(l))
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = demoted(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}
