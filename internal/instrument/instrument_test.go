package instrument

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestALoggerThatIsGivenIsKept(t *testing.T) {
	mine := slog.New(slog.NewTextHandler(&strings.Builder{}, nil))
	if Logger(mine) != mine {
		t.Error("another logger than the one given")
	}
	if got := Logger(nil); got == nil || got.Enabled(t.Context(), slog.LevelError) {
		t.Errorf("no logger became %v, want one that is silent", got)
	}
}

func TestRegister(t *testing.T) {
	gauge := func(name string) prometheus.Collector {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "For the test."})
	}
	if err := Register(nil, "web", gauge("a")); err != nil {
		t.Errorf("without a registry: %v", err)
	}
	reg := prometheus.NewRegistry()
	if err := Register(reg, "web", gauge("a"), gauge("b")); err != nil {
		t.Fatal(err)
	}
	if families, err := reg.Gather(); err != nil || len(families) != 2 {
		t.Errorf("%d families, %v", len(families), err)
	}
	err := Register(reg, "web", gauge("c"), gauge("b"))
	if err == nil || !strings.HasPrefix(err.Error(), "register web metrics: ") {
		t.Errorf("the same metric twice: %v", err)
	}
}
