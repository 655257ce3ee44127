package scan_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/scan"
	"github.com/signalbox-project/signalbox/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plainStore is the least that a scanner can read from: heads in memory, and
// parts that Seal makes of them.
type plainStore struct {
	*scan.Scanner
	t   testing.TB
	dir string

	mu      sync.Mutex
	id      uint64
	logs    *head.LogsBuilder
	spans   *head.SpansBuilder
	parts   [2][]*part.Part
	damaged []string
}

func newPlainStore(t testing.TB) *plainStore {
	s := &plainStore{t: t, dir: t.TempDir(), logs: head.NewLogs(1), spans: head.NewSpans(1)}
	s.Scanner = scan.New(s)
	t.Cleanup(func() {
		for _, list := range s.parts {
			for _, p := range list {
				p.Release()
			}
		}
	})
	return s
}

func (s *plainStore) AppendLogs(_ context.Context, records []model.LogRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs.Append(records)
	return nil
}

func (s *plainStore) AppendSpans(_ context.Context, spans []model.Span) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans.Append(spans)
	return nil
}

func (s *plainStore) Seal(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id++
	if l := s.logs.Snapshot(); l.Rows > 0 {
		p, err := part.WriteLogs(disk.OS{}, filepath.Join(s.dir, "logs", "day"), l, part.Options{ID: s.id})
		if err != nil {
			return err
		}
		s.parts[part.Logs] = append(s.parts[part.Logs], p)
		s.logs = head.NewLogs(s.id)
	}
	if l := s.spans.Snapshot(); l.Rows > 0 {
		p, err := part.WriteSpans(disk.OS{}, filepath.Join(s.dir, "spans", "day"), l, part.Options{ID: s.id})
		if err != nil {
			return err
		}
		s.parts[part.Spans] = append(s.parts[part.Spans], p)
		s.spans = head.NewSpans(s.id)
	}
	return nil
}

func (s *plainStore) View(signal part.Signal, r store.Range) *part.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []*part.Part
	for _, p := range s.parts[signal] {
		if p.Overlaps(r) && p.Acquire() {
			parts = append(parts, p)
		}
	}
	tell := func(p *part.Part, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.damaged = append(s.damaged, p.Name())
		s.t.Logf("damaged: %v", err)
	}
	if signal == part.Logs {
		return part.NewView(signal, parts, []*head.Logs{s.logs.Snapshot()}, nil, tell)
	}
	return part.NewView(signal, parts, nil, []*head.Spans{s.spans.Snapshot()}, tell)
}

func TestScannerKeepsTheContractOfEventStores(t *testing.T) {
	storetest.Events(t, func(t *testing.T) storetest.EventStore {
		s := newPlainStore(t)
		t.Cleanup(func() {
			if len(s.damaged) > 0 {
				t.Errorf("sound parts were taken for damaged: %v", s.damaged)
			}
		})
		return s
	})
}

func TestTheDefinitionKeepsItsOwnContract(t *testing.T) {
	storetest.Events(t, func(*testing.T) storetest.EventStore { return &storetest.Memory{} })
}
