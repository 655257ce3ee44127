package router

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/mirror"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The names of the snapshots.
const (
	silencesFile = "silences"
	logFile      = "nflog"
	alertsFile   = "alerts.json"
)

// memory is what survives a kill: alerts, silences and who was notified.
type memory struct {
	log      *slog.Logger
	dir      string
	alerts   *journal
	silences *silence.Silences
	silencer *silence.Silencer
	nflog    *durableLog
	found    []damage // at the start; not changed after
	witness  *witness

	saving sync.Mutex // one snapshot of the silences is written at a time; guards nothing else
}

// remember loads silences, notification log and alerts; files that cannot be read are set
// aside. Alerts that fire fire on for grace.
func remember(deps Deps, grace time.Duration) (*memory, error) {
	m := &memory{log: deps.Logger, dir: deps.Dir, witness: &witness{docs: deps.Documents, log: deps.Logger, last: map[string]store.Document{}}}
	silences, err := m.load(silencesFile, func(b []byte) error {
		_, err := silence.New(silenceOptions(b, m.log, prometheus.NewRegistry()))
		return err
	})
	if err != nil {
		return nil, err
	}
	if m.silences, err = silence.New(silenceOptions(silences, m.log, deps.Registerer)); err != nil {
		return nil, fmt.Errorf("open silences: %w", err)
	}
	m.silencer = silence.NewSilencer(m.silences, m.log, eventrecorder.NopRecorder())
	logOptions := func(b []byte, reg prometheus.Registerer) nflog.Options {
		return nflog.Options{SnapshotReader: reader(b), Retention: retention, Logger: m.log, Metrics: reg}
	}
	sent, err := m.load(logFile, func(b []byte) error {
		_, err := nflog.New(logOptions(b, prometheus.NewRegistry()))
		return err
	})
	if err != nil {
		return nil, err
	}
	log, err := nflog.New(logOptions(sent, deps.Registerer))
	if err != nil {
		return nil, fmt.Errorf("open notification log: %w", err)
	}
	m.nflog = newDurableLog(log, m.stateFile(logFile), m.log)
	alerts, err := mem.NewAlerts(context.Background(), gcEvery, 0, m.silencer, m.log, eventrecorder.NopRecorder(), deps.Registerer, featurecontrol.NoopFlags{})
	if err != nil {
		return nil, fmt.Errorf("make alert store: %w", err)
	}
	m.alerts = newJournal(alerts, m.stateFile(alertsFile), deps.Damp)
	text, err := m.load(alertsFile, func(b []byte) error { return json.Unmarshal(b, &[]*alert.Alert{}) })
	if err != nil {
		return nil, err
	}
	return m, m.alerts.restore(context.Background(), text, grace)
}

// maintain writes what changed until stop is closed.
func (m *memory) maintain(wg *sync.WaitGroup, stop chan struct{}) {
	wg.Go(func() {
		m.silences.Maintenance(maintainEvery, filepath.Join(m.dir, silencesFile), stop, m.maintainSilences)
	})
	wg.Go(func() { m.nflog.Maintenance(maintainEvery, filepath.Join(m.dir, logFile), stop, m.nflog.maintain) })
	wg.Go(func() { m.nflog.run(stop) })
}

func silenceOptions(content []byte, log *slog.Logger, reg prometheus.Registerer) silence.Options {
	return silence.Options{
		SnapshotReader: reader(content),
		Retention:      retention,
		Limits: silence.Limits{
			MaxSilences:         func() int { return maxSilences },
			MaxSilenceSizeBytes: func() int { return maxSilenceBytes },
		},
		Logger:        log,
		Metrics:       reg,
		EventRecorder: eventrecorder.NopRecorder(),
	}
}

func (m *memory) saveSilences() (n int64, err error) {
	m.saving.Lock()
	defer m.saving.Unlock()
	err = m.stateFile(silencesFile).save(func(w io.Writer) error {
		n, err = m.silences.Snapshot(w)
		return err
	}, func() testimony { return inForce(m.silences) })
	return n, err
}

func (m *memory) maintainSilences() (int64, error) {
	if _, err := m.silences.GC(); err != nil {
		return 0, err
	}
	return m.saveSilences()
}

// load reads a file of the alert state. What is wrong with it is remembered for Problems, and
// never stops the start.
func (m *memory) load(name string, check func([]byte) error) (content []byte, err error) {
	now := time.Now()
	missing, err := m.witness.missing(filepath.Join(m.dir, name), now)
	if err != nil {
		m.log.Warn("whether a file of the alert state is missing is not known", "file", name, "err", err)
	}
	content, found, err := m.stateFile(name).Load(now, check)
	if err != nil {
		return nil, fmt.Errorf("read alerting state: %w", err)
	}
	if found == nil {
		found = missing
	}
	if found != nil {
		m.log.Error("alerting state was damaged", "file", filepath.Join(m.dir, name), "kept_as", found.Aside, "lost", found.Lost, "err", found.Cause)
		m.found = append(m.found, damage{name: name, Finding: *found})
	}
	return content, nil
}

func (m *memory) stateFile(name string) kept {
	return kept{mirror.File{Path: filepath.Join(m.dir, name), Perm: 0o600}, m.witness}
}

// reader is a content for Alertmanager to read; nil is none.
func reader(content []byte) io.Reader {
	if content == nil {
		return nil
	}
	return bytes.NewReader(content)
}
