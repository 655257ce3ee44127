package auditlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	promodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

var epoch = time.Date(2026, 9, 30, 23, 59, 50, 0, time.UTC)

func open(t testing.TB, dir string, c *clock, former store.AuditLog) *Log {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Dir = dir
	l, err := Open(context.Background(), cfg, Deps{Now: c.now, Former: former})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func add(t testing.TB, l *Log, e model.AuditEntry) model.AuditEntry {
	t.Helper()
	out, err := l.Audit(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fill writes n entries over some months, one every step.
func fill(t testing.TB, l *Log, c *clock, n int, step time.Duration) {
	t.Helper()
	for i := range n {
		add(t, l, model.AuditEntry{
			Actor: "user:" + strconv.Itoa(i%3), Action: []string{"query.promql", "gate.override"}[i%2], Tenant: []string{"", "pay"}[i%2],
			Subject: "subject " + strconv.Itoa(i), Details: map[string]string{"query": fmt.Sprintf(`rate(http_%d{path="/ä"}[5m])`, i)},
		})
		c.at = c.at.Add(step)
	}
}

func verified(t testing.TB, l *Log) model.AuditVerification {
	t.Helper()
	v, err := l.VerifyAudit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEntriesAreKeptFoundAndVerifiedOverMonthsAndStarts(t *testing.T) {
	c, dir := &clock{epoch}, t.TempDir()
	l := open(t, dir, c, nil)
	fill(t, l, c, 30, 3*24*time.Hour)
	if err := l.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		if again {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = open(t, dir, c, nil)
		}
		if v := verified(t, l); !v.Intact || v.Entries != 30 || v.Last != 30 || len(v.Hash) != hashLen {
			t.Fatalf("%+v", v)
		}
		if ps := l.Problems(); len(ps) != 0 {
			t.Fatalf("%+v", ps)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl*"))
	if len(names) != 4 || !strings.HasSuffix(names[0], "2026-09.jsonl.zst") || !strings.HasSuffix(names[3], "2026-12.jsonl") {
		t.Fatalf("%q", names)
	}
	for name, q := range map[string]struct {
		q    store.AuditQuery
		want string
	}{
		"all, newest first": {store.AuditQuery{Limit: 2}, "30 29"},
		"the next page":     {store.AuditQuery{Limit: 2, Before: 29}, "28 27"},
		"actor":             {store.AuditQuery{Actor: "user:1", Limit: 3}, "29 26 23"},
		"action":            {store.AuditQuery{Action: "gate.override", Limit: 2}, "30 28"},
		"tenant":            {store.AuditQuery{Tenant: "pay", Limit: 2}, "30 28"},
		"no tenant":         {store.AuditQuery{Tenant: "default", Limit: 2}, "29 27"},
		"subject":           {store.AuditQuery{Subject: "subject 4"}, "5"},
		"text":              {store.AuditQuery{Text: `HTTP_4{PATH="/Ä"`}, "5"},
		"short text":        {store.AuditQuery{Text: "_4"}, "5"},
		"text of nothing":   {store.AuditQuery{Text: "nowhere"}, ""},
		"time":              {store.AuditQuery{Start: epoch.Add(24 * time.Hour), End: epoch.Add(8 * 24 * time.Hour)}, "3 2"},
		"action, not text":  {store.AuditQuery{Action: "query.promql", Text: "http_5{"}, ""},
	} {
		got, err := l.AuditEntries(t.Context(), q.q)
		var ids []string
		for _, e := range got {
			ids = append(ids, strconv.FormatInt(e.ID, 10))
		}
		if err != nil || strings.Join(ids, " ") != q.want {
			t.Errorf("%s: %v %v, want %s", name, ids, err, q.want)
		}
	}
}

func TestLinesAreWhatAnOutsiderVerifies(t *testing.T) {
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	fill(t, l, c, 25, 3*24*time.Hour)
	if err := l.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	prev, n := "", 0
	for after := int64(0); after < 25; after += 10 { // in pages
		left := 10
		if err := l.Lines(t.Context(), after, store.AuditQuery{}, func(line Line, e model.AuditEntry) bool {
			if hashOf(prev, line.Entry) != line.Hash {
				t.Errorf("entry %d", e.ID)
			}
			prev = line.Hash
			n++
			left--
			return left > 0
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n != 25 {
		t.Errorf("%d lines", n)
	}
}

func TestRetentionDropsMonthsAndTheChainStaysVerifiable(t *testing.T) {
	c, dir := &clock{epoch}, t.TempDir()
	l := open(t, dir, c, nil)
	fill(t, l, c, 30, 3*24*time.Hour)
	l.cfg.Retention = promodel.Duration(30 * 24 * time.Hour)
	if err := l.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, c, nil)
	v := verified(t, l)
	dropped, err := l.AuditEntries(t.Context(), store.AuditQuery{Action: actionDropped})
	if err != nil || !v.Intact || len(dropped) != 2 || dropped[1].Subject != "2026-09" {
		t.Fatalf("%+v %+v %v", v, dropped, err)
	}
	// A month that no entry says was dropped is missed.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "2026-11.jsonl.zst")); err != nil {
		t.Fatal(err)
	}
	if v := verified(t, open(t, dir, c, nil)); v.Intact || !strings.Contains(v.Fault, "audit entries 12 to 21 are missing") {
		t.Errorf("%+v", v)
	}
}

func TestAMonthWithYoungEntriesIsKeptWhateverItIsCalled(t *testing.T) {
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	fill(t, l, c, 5, 24*time.Hour)
	old := l.closed[0]
	c.at = c.at.Add(40 * 24 * time.Hour)
	l.cfg.Retention = promodel.Duration(24 * time.Hour)
	if !l.old(old) {
		t.Fatal("it is over")
	}
	add(t, l, model.AuditEntry{Actor: "a", Action: "b"})
	young := l.closed[len(l.closed)-1]
	young.header.Partition = "2001-01"
	l.cfg.Retention = promodel.Duration(60 * 24 * time.Hour)
	if l.old(young) {
		t.Error("its entries are young")
	}
}

// TestUpgrade opens the log beside a state store that has entries of before, as an older version leaves it.
func TestUpgrade(t *testing.T) {
	dir := t.TempDir()
	st, err := state.Open(t.Context(), state.Config{Dir: filepath.Join(dir, "state")}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range 3 {
		if _, err := st.Audit(t.Context(), model.AuditEntry{Actor: "ann", Action: "deploy.mark", Subject: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	c, folder := &clock{epoch}, filepath.Join(dir, "audit")
	l := open(t, folder, c, st)
	if e := add(t, l, model.AuditEntry{Actor: "bob", Action: "page.ack"}); e.ID != 5 {
		t.Fatalf("entry %d; 4 says that the log goes on elsewhere", e.ID)
	}
	got, err := l.AuditEntries(t.Context(), store.AuditQuery{})
	if v := verified(t, l); err != nil || !v.Intact || v.Entries != 5 || len(got) != 5 || got[1].Action != actionContinued || got[4].Subject != "0" {
		t.Fatalf("%+v %+v %v", v, got, err)
	}
	var lines []int64
	if err := l.Lines(t.Context(), 2, store.AuditQuery{}, func(_ Line, e model.AuditEntry) bool { lines = append(lines, e.ID); return true }); err != nil || fmt.Sprint(lines) != "[3 4 5]" {
		t.Errorf("%v %v", lines, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l = open(t, folder, c, st); !verified(t, l).Intact || len(l.Problems()) != 0 {
		t.Errorf("%+v %+v", verified(t, l), l.Problems())
	}
	_ = l.Close()
	// The folder is made once: later it is missed.
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	l = open(t, folder, c, st)
	if ps := l.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, "its entries after 4 are missing") {
		t.Errorf("%+v", ps)
	}
}

func TestWhatCannotBeWrittenIsRefusedCountedAndSaid(t *testing.T) {
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	add(t, l, model.AuditEntry{Actor: "a", Action: "b"})
	writable := l.cur.file
	readonly, err := os.Open(l.cur.path)
	if err != nil {
		t.Fatal(err)
	}
	l.cur.file = readonly
	if _, err := l.Audit(t.Context(), model.AuditEntry{Actor: "a", Action: "gate.override"}); err == nil {
		t.Fatal("a change whose entry cannot be written is refused")
	}
	l.write(model.AuditEntry{Actor: "a", Action: "query.promql"})
	if ps := l.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, "1 queries since") {
		t.Errorf("%+v", ps)
	}
	l.cur.file = writable
	l.settle()
	got, err := l.AuditEntries(t.Context(), store.AuditQuery{})
	if err != nil || len(got) != 2 || got[0].Action != actionLost || got[0].Details["entries"] != "1" {
		t.Errorf("%+v %v", got, err)
	}
	if ps := l.Problems(); len(ps) != 1 || ps[0].Severity != "warning" {
		t.Errorf("%+v", ps)
	}
	if v := verified(t, l); !v.Intact {
		t.Errorf("%+v", v)
	}
}

func TestAFullQueueWaitsShortlyAndCounts(t *testing.T) {
	c := &clock{epoch}
	l := open(t, t.TempDir(), c, nil)
	l.queue = make(chan model.AuditEntry, 1)
	l.Note(model.AuditEntry{Action: "one"})
	l.Note(model.AuditEntry{Action: "two"})
	if l.notes.lost != 1 {
		t.Errorf("%d lost", l.notes.lost)
	}
}

func TestManyAtOnceFormOneChain(t *testing.T) {
	l := open(t, t.TempDir(), &clock{epoch}, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	errs := make(chan error, 8)
	for i := range 8 {
		go func() {
			var err error
			for range 200 {
				l.Note(model.AuditEntry{Actor: strconv.Itoa(i), Action: "query.promql"})
			}
			for range 5 {
				_, e := l.Audit(t.Context(), model.AuditEntry{Actor: strconv.Itoa(i), Action: "gate.override"})
				err = errors.Join(err, e)
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for len(l.queue) > 0 {
		l.write(<-l.queue)
	}
	if v := verified(t, l); !v.Intact || v.Entries != 8*205 || l.notes.ever != 0 {
		t.Errorf("%+v", v)
	}
}
