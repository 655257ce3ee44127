package oncall

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

// A swap is two overrides that count together, once who is asked has accepted.
func TestASwapIsProposedAndAccepted(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, _ := in(t, now, two)
	var told []string
	r.tell = func(_ context.Context, to Person, title, text string) (string, error) {
		told = append(told, to.Name+": "+title+"\n"+text)
		return "email", nil
	}
	// ada has the week of 23 March, in which the clocks go forward, and kim the next one. Any moment of a shift names it.
	s, err := r.Propose(t.Context(), Swap{Schedule: "edge", From: "kim", To: "ada", Start: utc(t, "2026-04-01 12:00"), Return: &Return{Start: utc(t, "2026-03-25 08:00"), End: utc(t, "2026-03-26 08:00")}, Reason: "a wedding", By: "kim"})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Start.Equal(utc(t, "2026-03-30 07:00")) || !s.End.Equal(utc(t, "2026-04-06 07:00")) || s.Told != "ada by email" || len(s.Notes) != 0 {
		t.Errorf("%+v", s)
	}
	if len(told) != 1 || !strings.Contains(told[0], "ada: kim asks you to take a shift\nedge, from 2026-03-30T07:00:00Z") || !strings.Contains(told[0], "In return kim takes edge from 2026-03-25T08:00:00Z") || !strings.Contains(told[0], "swap accept "+s.ID) {
		t.Errorf("%q", told)
	}
	for _, by := range []string{"kim", "lee", "", "token:1"} {
		if _, err := r.Decide(t.Context(), s.ID, SwapAccepted, by, ""); err == nil || !strings.Contains(err.Error(), "ada is asked") {
			t.Errorf("%q accepts: %v", by, err)
		}
	}
	if p, _, _ := r.OnCall(t.Context(), "edge", utc(t, "2026-04-01 12:00")); p.Name != "kim" {
		t.Errorf("%s is on call before anybody has accepted", p.Name)
	}
	done, err := r.Decide(t.Context(), s.ID, SwapAccepted, "user:ada", "gladly")
	if err != nil || done.State != SwapAccepted || len(done.Answer.Overrides) != 2 || done.Told != "kim by email" {
		t.Fatalf("%+v %v", done, err)
	}
	for at, want := range map[string]string{"2026-03-25 07:59": "ada", "2026-03-25 08:00": "kim", "2026-03-26 08:00": "ada", "2026-03-30 07:00": "ada", "2026-04-06 06:59": "ada", "2026-04-06 07:00": "ada", "2026-04-13 07:00": "kim"} {
		if p, _, err := r.OnCall(t.Context(), "edge", utc(t, at)); err != nil || p.Name != want {
			t.Errorf("%s: %s, want %s (%v)", at, p.Name, want, err)
		}
	}
	list, err := r.Overrides(t.Context(), "edge", now, now.AddDate(0, 1, 0))
	if err != nil || len(list) != 2 || list[0].Reason != "swap of kim and ada a wedding" || list[0].By != "user:ada" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := r.Decide(t.Context(), s.ID, SwapDeclined, "ada", ""); err == nil || !strings.Contains(err.Error(), "accepted already") {
		t.Error(err)
	}
	if all, err := r.Swaps(t.Context()); err != nil || len(all) != 1 || all[0].State != SwapAccepted {
		t.Errorf("%+v %v", all, err)
	}
}

func TestASwapThatCannotBeIsRefused(t *testing.T) {
	r, _ := in(t, utc(t, "2026-03-24 12:00"), two)
	week := func(s Swap) Swap {
		if s.Schedule == "" {
			s.Schedule = "edge"
		}
		if s.From == "" {
			s.From = "kim"
		}
		if s.Start.IsZero() {
			s.Start, s.End = utc(t, "2026-03-30 07:00"), utc(t, "2026-03-31 07:00")
		}
		return s
	}
	for says, s := range map[string]Swap{
		`"edgy"`:                     week(Swap{Schedule: "edgy", To: "ada"}),
		`"adam" is nobody in people`: week(Swap{To: "adam"}),
		"swap with themselves":       week(Swap{To: "kim"}),
		"kim is not on call by edge from 2026-03-30T06:00:00Z to 2026-03-30T07:00:00Z": week(Swap{To: "ada", Start: utc(t, "2026-03-30 06:00"), End: utc(t, "2026-03-31 07:00")}),
		"the shift is over":                       week(Swap{From: "ada", To: "kim", Start: utc(t, "2026-03-23 09:00"), End: utc(t, "2026-03-24 11:00")}),
		"before it begins":                        week(Swap{To: "ada", Start: utc(t, "2026-03-31 09:00"), End: utc(t, "2026-03-31 08:00")}),
		"nobody is on call by nights":             week(Swap{Schedule: "nights", From: "lee", To: "ada", Start: utc(t, "2026-03-31 12:00")}),
		"in_return: ada is not on call":           week(Swap{To: "ada", Return: &Return{Start: utc(t, "2026-04-01 07:00"), End: utc(t, "2026-04-02 07:00")}}),
		"in_return: a shift in return is of some": week(Swap{Return: &Return{Start: utc(t, "2026-03-25 07:00")}}),
	} {
		if _, err := r.Propose(t.Context(), s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
	// What goes on is given away from now on. lee has the night elsewhere, which is said and not refused.
	s, err := r.Propose(t.Context(), Swap{Schedule: "edge", From: "ada", To: "lee", Start: utc(t, "2026-03-24 08:00"), By: "user:boss"})
	if err != nil || !s.Start.Equal(utc(t, "2026-03-24 12:00")) || len(s.Notes) == 0 || !strings.Contains(s.Notes[0], "lee is on call by nights from 2026-03-24T20:00:00Z") {
		t.Fatalf("%+v %v", s, err)
	}
	if _, err := r.Propose(t.Context(), Swap{Schedule: "edge", From: "ada", To: "kim", Start: utc(t, "2026-03-25 08:00"), End: utc(t, "2026-03-25 09:00")}); err == nil || !strings.Contains(err.Error(), "is not answered yet") {
		t.Error(err)
	}
	if _, err := r.Decide(t.Context(), s.ID, SwapWithdrawn, "kim", ""); err == nil {
		t.Error("kim withdraws what is not theirs")
	}
	if s, err := r.Decide(t.Context(), s.ID, SwapWithdrawn, "user:boss", ""); err != nil || s.State != SwapWithdrawn {
		t.Error(s, err)
	}
	if _, err := r.Decide(t.Context(), "none", SwapAccepted, "kim", ""); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// Anybody may take what is offered to all, and what was true at the proposal has to be true still.
func TestASwapIsLookedAtAgainWhenItIsAccepted(t *testing.T) {
	now := utc(t, "2026-03-24 12:00")
	r, s := in(t, now, two)
	open, err := r.Propose(t.Context(), Swap{Schedule: "edge", From: "kim", Start: utc(t, "2026-03-30 07:00"), End: utc(t, "2026-03-31 07:00")})
	if err != nil || open.Told != "nobody in particular" {
		t.Fatal(open, err)
	}
	if _, err := r.Override(t.Context(), Override{Schedule: "edge", Person: "lee", Start: utc(t, "2026-03-30 10:00"), End: utc(t, "2026-03-30 12:00")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Decide(t.Context(), open.ID, SwapAccepted, "ada", ""); err == nil || !strings.Contains(err.Error(), "kim is not on call by edge from 2026-03-30T10:00:00Z to 2026-03-30T12:00:00Z") {
		t.Error(err)
	}
	if list, _ := r.Overrides(t.Context(), "edge", now, now.AddDate(0, 1, 0)); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	another, err := r.Propose(t.Context(), Swap{Schedule: "edge", From: "kim", Start: utc(t, "2026-04-01 07:00"), End: utc(t, "2026-04-02 07:00")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Decide(t.Context(), another.ID, SwapAccepted, "kim", ""); err == nil || !strings.Contains(err.Error(), "themselves") {
		t.Error(err)
	}
	if got, err := r.Decide(t.Context(), another.ID, SwapAccepted, "lee", ""); err != nil || got.To != "lee" {
		t.Error(got, err)
	}
	later, err := New(Deps{State: s, Now: func() time.Time { return utc(t, "2026-04-03 12:00") }})
	if err != nil {
		t.Fatal(err)
	}
	all, err := later.Swaps(t.Context())
	if err != nil || len(all) != 2 || all[1].State != SwapWithdrawn || all[1].Answer.Note != "the shift is over" {
		t.Errorf("%+v %v", all, err)
	}
}
