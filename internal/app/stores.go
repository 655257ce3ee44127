package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/process/conservation"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/tally"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
	"github.com/signalbox-project/signalbox/internal/store/secrets"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// stores are the engines that keep data, with what stands right before and
// after them: the ledger, sample admission and the PromQL engine.
type stores struct {
	odd   []model.Problem // what was set aside before anything was opened
	state store.State
	// pageListeners hear of pages that were saved or acknowledged (onPage).
	pageListeners []func(model.Page)
	notes         *witness.Checker // compares what is in state with the audit log
	metrics       *metrics.Store
	events        *events.DB

	ledger  *conservation.Ledger
	samples *samples.Admission
	// identifiers hashes what identifies people; nil where nothing is configured.
	identifiers *identifiers.Hasher
	engine      *promql.Engine
	tally       *tally.Tally
}

func (c *cell) buildStores(ctx context.Context) (err error) {
	dir := func(name string) string { return filepath.Join(c.dir, name) }
	c.setOddAside()
	c.missFolders()
	kept, err := state.Open(ctx, state.Config{Dir: dir("state")}, state.Deps{
		Logger: c.component("state"), Registerer: c.registry,
	})
	if err != nil {
		return err
	}
	c.run("state store", nil, kept.Close)
	if c.state, err = secrets.Open(ctx, kept, c.sealer, c.component("state")); err != nil {
		return err
	}
	c.state = pageNews{c.state, &c.pageListeners}
	if err := c.openAudit(ctx); err != nil {
		return err
	}
	c.notes = witness.NewChecker(c.proofs, c.tenant, time.Now)
	c.run("evidence", func(ctx context.Context) error {
		c.notes.Run(ctx, c.component("evidence"), signed{c.state, c}, kept.Lost())
		return nil
	}, nil)
	if err := c.openIdentities(ctx); err != nil {
		return err
	}
	if c.metrics, err = metrics.Open(c.cfg.Metrics, metrics.Deps{
		Dir: dir("metrics"), Logger: c.component("metrics"), Registerer: c.registry, MemoryLimit: c.memory, Sharing: c.sharing, Small: c.tenant != model.DefaultTenant,
		Settled: time.Duration(c.cfg.SLO.Lateness) + indicator.Rereads, Encrypted: c.all.cfg.Storage.Encrypt,
	}); err != nil {
		return err
	}
	c.run("metrics store", c.metrics.Run, c.metrics.Close)
	if c.events, err = events.Open(c.cfg.Events, events.Deps{
		Dir: dir("events"), Logger: c.component("events"), Registerer: c.registry, Sealer: c.sealer,
	}); err != nil {
		return err
	}
	c.run("event store", c.events.Run, c.events.Close)
	return c.buildAround()
}

// setOddAside moves away what is no file and would be opened as one: a pipe holds up the start for ever, a device fills
// the memory. For the stores it is a file that is missing.
func (c *cell) setOddAside() {
	for _, path := range atomicfile.Odd(c.dir) {
		aside, err := atomicfile.SetAside(path, time.Now())
		c.log.Error("something that is neither file nor folder stood among the stored files", "path", path, "kept_as", aside, "err", err)
		c.odd = append(c.odd, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("%s is neither file nor folder nor a link to one, and is kept as %s; what stood there before is missing.", path, aside),
			Cure:     "Check who made it; restore the file from a backup, and delete what is kept.",
		})
	}
}

// missFolders names a store's folder that is not there while those of others are: the first start makes all. One that
// is empty is no better where a start begins with making files.
func (c *cell) missFolders() {
	var gone []string
	names := []string{"metrics", "events", "state", "alerting", "gate"}
	for _, name := range names {
		entries, err := os.ReadDir(filepath.Join(c.dir, name))
		emptied := err == nil && len(entries) == 0 && name != "alerting" && name != "gate"
		if errors.Is(err, fs.ErrNotExist) || emptied {
			gone = append(gone, name)
		}
	}
	if len(gone) == len(names) {
		return
	}
	for _, name := range gone {
		path := filepath.Join(c.dir, name)
		c.log.Error("the folder of a store is missing, while there are others; it starts empty", "path", path)
		c.odd = append(c.odd, model.Problem{
			Severity: "critical", Message: fmt.Sprintf("The folder %s was missing or empty at the start, and begins empty.", path),
			Cure: "If it was there before, stop and restore it from a backup; otherwise the next start says nothing of it.",
		})
	}
}

// buildAround makes what every user of the stores shares.
func (c *cell) buildAround() (err error) {
	if c.ledger, err = conservation.New(c.registry); err != nil {
		return err
	}
	if err = c.buildMasks(); err != nil {
		return err
	}
	if c.identifiers, err = identifiers.New(c.cfg.Privacy, c.registry); err != nil {
		return err
	}
	if c.samples, err = samples.New(c.cfg.Limits.Samples, samples.Deps{
		Next: c.metrics, Acknowledged: c.metrics.Acknowledged(), Stored: c.metrics, Counter: c.ledger,
		Retention:        time.Duration(c.cfg.Metrics.Retention),
		OutOfOrderWindow: time.Duration(c.cfg.Metrics.OutOfOrderWindow),
		Identifiers:      c.identifiers,
	}); err != nil {
		return fmt.Errorf("sample limits: %w", err)
	}
	if c.tally, err = tally.New(tally.Config{
		Timeout: time.Duration(c.cfg.Query.Timeout), Lateness: time.Duration(c.cfg.SLO.Lateness),
	}, tally.Deps{Registerer: c.registry, Logs: c.events, Spans: c.events, Deploys: c.state, Masks: c.masks.Value}); err != nil {
		return err
	}
	c.engine, err = promql.New(c.cfg.Query, promql.Deps{
		Logger: c.component("promql"), Registerer: c.registry, Queryable: c.metrics,
		Turn: func(ctx context.Context) (leave func(), err error) { return c.turns.Evaluations.Enter(ctx, c.tenant) },
	})
	return err
}
