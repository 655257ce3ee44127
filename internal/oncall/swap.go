package oncall

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/store"
)

// swapKind is of the documents that hold swaps. Their time is when the shift ends.
const swapKind = "oncall.swap"

// maxSwaps bounds how many are listed, and how many of one schedule may be open.
const maxSwaps = 200

// SwapState is how a swap stands.
type SwapState string

// The states.
const (
	SwapProposed  SwapState = "proposed"
	SwapAccepted  SwapState = "accepted"
	SwapDeclined  SwapState = "declined"
	SwapWithdrawn SwapState = "withdrawn"
)

// Swap is a shift that somebody wants somebody else to take, perhaps for one of theirs.
type Swap struct {
	ID       string    `json:"id"`
	State    SwapState `json:"state" enum:"proposed,accepted,declined,withdrawn"`
	Schedule string    `json:"schedule"`
	From     string    `json:"from" doc:"whose shift it is"`
	To       string    `json:"to,omitempty" doc:"who is asked; absent: anybody"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Return   *Return   `json:"in_return,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by,omitempty" doc:"who proposed it"`
	Created  time.Time `json:"created"`
	Answer   *Answer   `json:"answer,omitempty"`
	Notes    []string  `json:"notes" doc:"what to think of before it is accepted, such as that somebody is on call elsewhere then"`
	Told     string    `json:"told,omitempty" doc:"by what whom it is for was told last, or why they were not"`
}

// Return is a shift of the other person that whose shift it is takes.
type Return struct {
	Schedule string    `json:"schedule" maxLength:"200" doc:"the same, if absent" required:"false"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end,omitzero" doc:"of the shift that start lies in, if absent"`
}

// Answer is what became of a swap.
type Answer struct {
	By        string    `json:"by"`
	Time      time.Time `json:"time"`
	Note      string    `json:"note,omitempty"`
	Overrides []string  `json:"overrides,omitempty" doc:"the IDs of those that it made"`
}

// Propose asks for a swap. Without an end it is the whole shift that start lies in, so that it ends with the shift whatever the clocks do.
func (r *Room) Propose(ctx context.Context, s Swap) (Swap, error) {
	now := r.now().UTC()
	s.ID, s.State, s.Created, s.Answer = uuid.NewString(), SwapProposed, now, nil
	if err := r.checkSwap(ctx, &s, now); err != nil {
		return s, err
	}
	open, err := r.Swaps(ctx)
	if err != nil {
		return s, err
	}
	count := 0
	for _, other := range open {
		if other.State != SwapProposed {
			continue
		}
		if count++; count >= maxSwaps {
			return s, refuse("%d swaps are open already: answer or withdraw some", count)
		}
		if other.Schedule == s.Schedule && other.Start.Before(s.End) && s.Start.Before(other.End) {
			return s, refuse("swap %s is about the same time (%s to %s) and is not answered yet", other.ID, stampOf(other.Start), stampOf(other.End))
		}
	}
	s.Told = r.tellOf(ctx, s, s.To, fmt.Sprintf("%s asks you to take a shift", s.From))
	doc, err := s.document(0)
	if err != nil {
		return s, err
	}
	_, err = r.state.SaveDocuments(ctx, doc)
	return s, err
}

// checkSwap refuses what cannot be, completes shifts, and notes what to think of.
func (r *Room) checkSwap(ctx context.Context, s *Swap, now time.Time) error {
	roster := r.Value()
	s.Notes = []string{}
	for _, p := range []string{s.From, s.To} {
		if p != "" {
			if err := roster.knows(p); err != nil {
				return err
			}
		}
	}
	if s.From == s.To {
		return refuse("%s would swap with themselves", s.From)
	}
	if err := r.hasShift(ctx, s.Schedule, s.From, &s.Start, &s.End, now); err != nil {
		return err
	}
	if s.Return != nil {
		if s.To == "" {
			return refuse("in_return: a shift in return is of somebody: say who is asked")
		}
		if s.Return.Schedule == "" {
			s.Return.Schedule = s.Schedule
		}
		if err := r.hasShift(ctx, s.Return.Schedule, s.To, &s.Return.Start, &s.Return.End, now); err != nil {
			return fmt.Errorf("in_return: %w", err)
		}
		if err := r.noteElsewhere(ctx, s, s.From, s.Return.Start, s.Return.End); err != nil {
			return err
		}
	}
	if s.To == "" {
		return nil
	}
	return r.noteElsewhere(ctx, s, s.To, s.Start, s.End)
}

// hasShift refuses a time in which somebody is not on call throughout, and completes the end of their shift.
func (r *Room) hasShift(ctx context.Context, schedule, person string, start, end *time.Time, now time.Time) error {
	if start.IsZero() {
		return refuse("start: say when the shift begins, or a moment of it")
	}
	if end.IsZero() {
		shifts, err := r.Shifts(ctx, schedule, start.Add(-look), start.Add(look))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(shifts, func(s Shift) bool { return !start.Before(s.Start) && start.Before(s.End) })
		if i < 0 {
			return refuse("nobody is on call by %s at %s", schedule, stampOf(*start))
		}
		*end = shifts[i].End
		if shifts[i].Start.After(now) {
			*start = shifts[i].Start
		}
	}
	if start.Before(now) && end.After(now) {
		*start = now // what is over is over
	}
	*start, *end = start.UTC().Truncate(time.Second), end.UTC()
	switch {
	case !end.After(now):
		return refuse("the shift is over: it ended %s", stampOf(*end))
	case !start.Before(*end):
		return refuse("it ends (%s) before it begins (%s)", stampOf(*end), stampOf(*start))
	case end.Sub(*start) > maxOverride:
		return refuse("it lasts longer than %d days; who takes over for so long is a change of the roster in the file", int(maxOverride.Hours()/24))
	}
	shifts, err := r.Shifts(ctx, schedule, *start, *end)
	if err != nil {
		return err
	}
	var theirs []Gap
	for _, s := range shifts {
		if s.Person.Name == person {
			theirs = append(theirs, Gap{Start: s.Start, End: s.End})
		}
	}
	if gaps := Between(theirs, *start, *end); len(gaps) > 0 {
		return refuse("%s is not on call by %s from %s to %s, so that there is nothing to give away", person, schedule, stampOf(gaps[0].Start), stampOf(gaps[0].End))
	}
	return nil
}

// noteElsewhere notes where somebody who would take a shift is on call then already.
func (r *Room) noteElsewhere(ctx context.Context, s *Swap, person string, start, end time.Time) error {
	shifts, err := r.ShiftsOf(ctx, person, start, end)
	for _, one := range shifts {
		s.Notes = append(s.Notes, fmt.Sprintf("%s is on call by %s from %s to %s already, and would have both", person, one.Schedule, stampOf(one.Start), stampOf(one.End)))
	}
	return err
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// tellOf tells somebody of a swap, and says by what.
func (r *Room) tellOf(ctx context.Context, s Swap, person, title string) string {
	who, ok := r.Value().Person(person)
	if !ok {
		return "nobody in particular"
	}
	if r.tell == nil {
		return "not told: no channel is set up"
	}
	text := fmt.Sprintf("%s, from %s to %s.", s.Schedule, stampOf(s.Start), stampOf(s.End))
	if s.Return != nil {
		text += fmt.Sprintf("\nIn return %s takes %s from %s to %s.", s.From, s.Return.Schedule, stampOf(s.Return.Start), stampOf(s.Return.End))
	}
	if s.Reason != "" {
		text += "\n" + s.Reason
	}
	text += fmt.Sprintf("\nOn the page On call, or: signalbox oncall swap accept %s", s.ID)
	by, err := r.tell(ctx, who, title, text)
	if err != nil {
		r.log.Warn("somebody could not be told of a swap of shifts", "person", person, "swap", s.ID, "err", err)
		return "not told: " + err.Error()
	}
	return person + " by " + by
}

// Decide accepts, declines or withdraws a swap in the name of somebody: accept and decline are for who is asked, or for anybody where
// nobody is; withdraw is for whose shift it is and who proposed it.
func (r *Room) Decide(ctx context.Context, id string, state SwapState, by, note string) (Swap, error) {
	d, err := r.state.Document(ctx, swapKind, id)
	if err != nil {
		return Swap{}, err
	}
	var s Swap
	if err := json.Unmarshal(d.Body, &s); err != nil {
		return s, fmt.Errorf("swap %s is damaged: %w", id, err)
	}
	now, person := r.now().UTC(), strings.TrimPrefix(by, "user:")
	switch {
	case s.State != SwapProposed:
		return s, refuse("swap %s is %s already, by %s", id, s.State, s.Answer.By)
	case state == SwapWithdrawn && person != s.From && by != s.By:
		return s, refuse("only %s, whose shift it is, and who proposed the swap can withdraw it", s.From)
	case state != SwapWithdrawn && s.To != "" && person != s.To:
		return s, refuse("%s is asked, not %s: others use an override to take over", s.To, either(person, "somebody without a name"))
	}
	docs := []store.Document{}
	answer := Answer{By: by, Time: now, Note: note}
	if state == SwapAccepted {
		s.To = person
		if err := r.checkSwap(ctx, &s, now); err != nil {
			return s, err
		}
		reason := strings.TrimSpace("swap of " + s.From + " and " + s.To + " " + s.Reason)
		overrides := []Override{{Schedule: s.Schedule, Person: s.To, Start: s.Start, End: s.End, Reason: reason, By: by}}
		if s.Return != nil {
			overrides = append(overrides, Override{Schedule: s.Return.Schedule, Person: s.From, Start: s.Return.Start, End: s.Return.End, Reason: reason, By: by})
		}
		var made []Override
		if made, docs, err = r.overriding(overrides); err != nil {
			return s, err
		}
		for _, o := range made {
			answer.Overrides = append(answer.Overrides, o.ID)
		}
	}
	s.State, s.Answer = state, &answer
	other := s.From
	if state == SwapWithdrawn {
		other = s.To
	}
	doc, err := s.document(d.Version)
	if err != nil {
		return s, err
	}
	// With the overrides, all or none: nobody has accepted what does not count, and two cannot both accept.
	if _, err := r.state.SaveDocuments(ctx, append(docs, doc)...); err != nil {
		return s, err
	}
	s.Told = r.tellOf(ctx, s, other, fmt.Sprintf("%s: the swap of shifts is %s", either(person, "Somebody"), state))
	return s, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s Swap) document(version int64) (store.Document, error) {
	body, err := json.Marshal(s)
	return store.Document{Kind: swapKind, ID: s.ID, Version: version, Status: string(s.State), Time: s.End, Body: body}, err
}

// Swaps are those of shifts that are not over, and of the last 40 days; the shift that ends last comes first. What nobody answered
// before its shift was over is not open any more.
func (r *Room) Swaps(ctx context.Context) ([]Swap, error) {
	docs, _, err := r.state.Documents(ctx, store.DocumentQuery{Kind: swapKind, Start: r.now().Add(-look), Limit: 2 * maxSwaps})
	out := []Swap{}
	for _, d := range docs {
		var s Swap
		if err := json.Unmarshal(d.Body, &s); err != nil {
			r.log.Error("a swap of shifts is damaged and is not shown", "id", d.ID, "err", err)
			continue
		}
		if s.State == SwapProposed && !s.End.After(r.now()) {
			s.State, s.Answer = SwapWithdrawn, &Answer{By: "nobody", Time: s.End, Note: "the shift is over"}
		}
		out = append(out, s)
	}
	return out, err
}
