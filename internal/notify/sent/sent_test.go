package sent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/sent"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

func open(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: dir}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsRememberedIsRecalledAlsoAfterARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := open(t, dir)
	m := sent.New(s, clock)
	to := notify.Target{Channel: "slack", Address: "#a"}
	long := strings.Repeat("{}:", 10_000)
	remember := func(m *sent.Memory, to notify.Target, key, what string) {
		t.Helper()
		if err := m.Remember(t.Context(), to, key, what); err != nil {
			t.Fatal(err)
		}
	}
	recall := func(m *sent.Memory, to notify.Target, key, want string) {
		t.Helper()
		if got, err := m.Recall(t.Context(), to, key); err != nil || got != want {
			t.Errorf("%s %.20s: %q, %v, want %q", to.Address, key, got, err, want)
		}
	}
	recall(m, to, "k", "")
	remember(m, to, "k", "")
	remember(m, to, "k", "one")
	remember(m, to, "k", `two "quoted"`)
	remember(m, to, long, "long")
	remember(m, notify.Target{Channel: "slack", Address: "#b"}, "k", "other")
	remember(m, notify.Target{Channel: "telegram", Address: "#a"}, "k", "elsewhere")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	m = sent.New(s, clock)
	recall(m, to, "k", `two "quoted"`)
	recall(m, to, long, "long")
	remember(m, to, "k", "")
	recall(m, to, "k", "")
	remember(m, to, "k", "three")
	recall(m, to, "k", "three")
	now = now.Add(31 * 24 * time.Hour)
	remember(m, to, "new", "x")
	recall(m, to, long, "")
	left, _, err := s.Documents(t.Context(), store.DocumentQuery{Kind: "notify.sent", Limit: 10})
	if err != nil || len(left) != 1 {
		t.Errorf("%d are kept: %v", len(left), err)
	}
}
