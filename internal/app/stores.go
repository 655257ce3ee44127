package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/process/conservation"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/slo/tally"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// stores are the engines that keep data, with what stands right before and
// after them: the ledger, sample admission and the PromQL engine.
type stores struct {
	odd     []model.Problem // what was set aside before anything was opened
	state   store.State
	metrics *metrics.Store
	events  *events.DB

	ledger  *conservation.Ledger
	samples *samples.Admission
	engine  *promql.Engine
	tally   *tally.Tally
}

func (p *Process) buildStores(ctx context.Context) (err error) {
	dir := func(name string) string { return filepath.Join(p.opts.StoragePath, name) }
	p.setOddAside()
	p.missFolders()
	if p.state, err = state.Open(ctx, state.Config{Dir: dir("state")}, state.Deps{
		Logger: p.component("state"), Registerer: p.tel.Registry,
	}); err != nil {
		return err
	}
	p.run("state store", nil, p.state.Close)
	if p.metrics, err = metrics.Open(p.cfg.Metrics, metrics.Deps{
		Dir: dir("metrics"), Logger: p.component("metrics"), Registerer: p.tel.Registry, MemoryLimit: p.memory,
	}); err != nil {
		return err
	}
	p.run("metrics store", p.metrics.Run, p.metrics.Close)
	if p.events, err = events.Open(p.cfg.Events, events.Deps{
		Dir: dir("events"), Logger: p.component("events"), Registerer: p.tel.Registry,
	}); err != nil {
		return err
	}
	p.run("event store", p.events.Run, p.events.Close)
	return p.buildAround()
}

// setOddAside moves away what is no file and would be opened as one: a pipe holds up the start for ever, a device fills
// the memory. For the stores it is a file that is missing.
func (p *Process) setOddAside() {
	for _, path := range atomicfile.Odd(p.opts.StoragePath) {
		aside, err := atomicfile.SetAside(path, time.Now())
		p.log.Error("something that is neither file nor folder stood among the stored files", "path", path, "kept_as", aside, "err", err)
		p.odd = append(p.odd, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("%s is neither file nor folder nor a link to one, and is kept as %s; what stood there before is missing.", path, aside),
			Cure:     "Check who made it; restore the file from a backup, and delete what is kept.",
		})
	}
}

// missFolders names a store's folder that is not there while those of others are: the first start makes all.
func (p *Process) missFolders() {
	var gone []string
	names := []string{"metrics", "events", "state", "alerting", "gate"}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(p.opts.StoragePath, name)); errors.Is(err, fs.ErrNotExist) {
			gone = append(gone, name)
		}
	}
	if len(gone) == len(names) {
		return
	}
	for _, name := range gone {
		path := filepath.Join(p.opts.StoragePath, name)
		p.log.Error("the folder of a store is missing, while there are others; it starts empty", "path", path)
		p.odd = append(p.odd, model.Problem{
			Severity: "critical", Message: fmt.Sprintf("The folder %s was missing at the start, and begins empty.", path),
			Cure: "If it was there before, stop and restore it from a backup; otherwise the next start says nothing of it.",
		})
	}
}

// buildAround makes what every user of the stores shares.
func (p *Process) buildAround() (err error) {
	if p.ledger, err = conservation.New(p.tel.Registry); err != nil {
		return err
	}
	if p.samples, err = samples.New(p.cfg.Limits.Samples, samples.Deps{
		Next: p.metrics, Acknowledged: p.metrics.Acknowledged(), Counter: p.ledger,
		Retention:        time.Duration(p.cfg.Metrics.Retention),
		OutOfOrderWindow: time.Duration(p.cfg.Metrics.OutOfOrderWindow),
	}); err != nil {
		return fmt.Errorf("sample limits: %w", err)
	}
	if p.tally, err = tally.New(tally.Config{
		Timeout: time.Duration(p.cfg.Query.Timeout), Lateness: time.Duration(p.cfg.SLO.Lateness),
	}, tally.Deps{Registerer: p.tel.Registry, Logs: p.events, Spans: p.events, Deploys: p.state}); err != nil {
		return err
	}
	p.engine, err = promql.New(p.cfg.Query, promql.Deps{
		Logger: p.component("promql"), Registerer: p.tel.Registry, Queryable: p.metrics,
	})
	return err
}
