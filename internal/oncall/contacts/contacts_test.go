package contacts

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

type courier struct{ sent []notify.Message }

func (c *courier) Deliver(_ context.Context, m notify.Message, _ func(model.Delivery)) (notify.Receipt, error) {
	c.sent = append(c.sent, m)
	return notify.Receipt{}, nil
}

func (c *courier) Channels() []string { return []string{"sms", "email"} }

const roster = `
people:
  - {name: ada, contacts: [{channel: sms, address: "+491511111111"}, {channel: email, address: ada@example.com}]}
  - {name: kim, contacts: [{channel: push, address: kim}]}
schedules:
  - {name: days, layers: [{start: 2026-01-05, people: [ada], windows: [{from: "06:00", to: "22:00"}]}]}
escalation_policies:
  - name: platform
    default: true
    steps: [{notify: [{schedule: days}]}, {after: 5m, notify: [{person: kim}]}]
`

func TestAContactIsVerifiedByItsCodeAlone(t *testing.T) {
	now := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	v, c, room := made(t, &now)
	if err := v.Send(t.Context(), "ada", "pager"); err == nil || !strings.Contains(err.Error(), "has no contact") {
		t.Fatal(err)
	}
	if _, err := v.Confirm(t.Context(), "ada", "sms", "123456", "ada"); err == nil || !strings.Contains(err.Error(), "no code was sent") {
		t.Fatal(err)
	}
	if err := v.Send(t.Context(), "ada", "sms"); err != nil {
		t.Fatal(err)
	}
	if err := v.Send(t.Context(), "ada", "sms"); err == nil || !strings.Contains(err.Error(), "just now") {
		t.Error(err)
	}
	m := c.sent[0]
	if m.Kind != notify.Verification || m.To.Address != "+491511111111" || len(m.Text) != 6 {
		t.Fatalf("%+v", m)
	}
	wrong := "000000"
	if m.Text == wrong {
		wrong = "000001"
	}
	for range maxTries {
		if _, err := v.Confirm(t.Context(), "ada", "sms", wrong, "eve"); err == nil || !strings.Contains(err.Error(), "not the code") {
			t.Fatal(err)
		}
	}
	if _, err := v.Confirm(t.Context(), "ada", "sms", m.Text, "eve"); err == nil || !strings.Contains(err.Error(), "too often") {
		t.Error("the right code after too many wrong ones:", err)
	}
	now = now.Add(2 * time.Minute)
	if err := v.Send(t.Context(), "ada", "sms"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(11 * time.Minute)
	if _, err := v.Confirm(t.Context(), "ada", "sms", c.sent[1].Text, "ada"); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Error(err)
	}
	if err := v.Send(t.Context(), "ada", "sms"); err != nil {
		t.Fatal(err)
	}
	got, err := v.Confirm(t.Context(), "ada", "sms", c.sent[2].Text, "ada")
	if err != nil || got.Verified == nil || !got.Usable || got.By != "ada" {
		t.Fatal(got, err)
	}
	if _, err := v.Confirm(t.Context(), "ada", "sms", c.sent[2].Text, "ada"); err == nil {
		t.Error("a code was good twice")
	}
	covers(t, v, room, now)
	// Another address is another contact.
	write(t, room, strings.ReplaceAll(roster, "+491511111111", "+491522222222"))
	states, err := v.Contacts(t.Context())
	if err != nil || len(states) != 3 || states[0].Verified != nil || states[2].Usable {
		t.Error(states, err)
	}
}

// Of a day, ada is reached by a verified number while it is her turn; kim's channel is not set up.
func covers(t *testing.T, v *Verifier, room *oncall.Room, now time.Time) {
	t.Helper()
	from := now.Truncate(24 * time.Hour)
	got, err := v.Coverage(t.Context(), room, from, from.Add(24*time.Hour))
	if err != nil || len(got) != 4 {
		t.Fatal(got, err)
	}
	p0, p3 := got[0], got[3]
	if p0.Level != "P0" || len(p0.Gaps) != 2 || !p0.Gaps[0].End.Equal(from.Add(6*time.Hour)) || !p0.Gaps[1].Start.Equal(from.Add(22*time.Hour)) {
		t.Errorf("P0: %+v", p0)
	}
	if !slices.Equal(p0.Missing, []string{"kim has no verified contact whose channel is set up"}) {
		t.Errorf("P0 misses %v", p0.Missing)
	}
	// P3 goes by e-mail, which is not verified.
	if p3.Level != "P3" || len(p3.Gaps) != 1 || !p3.Gaps[0].Start.Equal(from) || !p3.Gaps[0].End.Equal(from.Add(24*time.Hour)) {
		t.Errorf("P3: %+v", p3)
	}
}

func made(t *testing.T, now *time.Time) (*Verifier, *courier, *oncall.Room) {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	room, err := oncall.New(oncall.Deps{State: s})
	if err != nil {
		t.Fatal(err)
	}
	write(t, room, roster)
	c := &courier{}
	return New(s, c, room.Value, func() time.Time { return *now }), c, room
}

func write(t *testing.T, room *oncall.Room, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "oncall.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := room.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
}
