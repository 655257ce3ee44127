package identity

import (
	"context"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/auth/review"
)

// Reviewer makes the access review of a period.
type Reviewer func(ctx context.Context, from, until, now time.Time) (review.Review, error)

type reviewInput struct {
	Caller
	Quarter string `query:"quarter" pattern:"^[0-9]{4}Q[1-4]$" doc:"the period, for example 2026Q4 (UTC); not with since"`
	Since   string `query:"since" maxLength:"64" doc:"the period's begin, as elsewhere; 90 days ago if absent"`
}

func (h *handlers) registerReview() {
	op := h.op("reviewAccess", "", "/audit/review", access.AuthManage, "Who may what, when they last used it, and what should be taken from them")
	op.Served = true // without authentication it says so
	operation.Register(h.Registry, op, func(ctx context.Context, in *reviewInput) (review.Review, error) {
		now := time.Now().UTC()
		from, until, err := in.period(now)
		if err != nil {
			return review.Review{}, err
		}
		access.Note(ctx, access.NoteAction, "query.access_review")
		if h.deps.Review == nil {
			return review.Review{
				From: from, Until: until, Holders: []review.Holder{}, Proposals: []review.Proposal{},
				Notes: []string{"Authentication is off: nobody is asked who they are, and everybody may everything."},
			}, nil
		}
		return h.deps.Review(ctx, from, until, now)
	})
}

// period is the quarter, as far as it is past, or what is since then.
func (in *reviewInput) period(now time.Time) (from, until time.Time, err error) {
	if in.Quarter == "" {
		from = now.Add(-review.Idle)
		if in.Since != "" {
			if from, err = operation.ParseTime(in.Since, now); err != nil {
				return from, now, operation.BadRequest("since: %v", err)
			}
		}
		if !from.Before(now) {
			return from, now, operation.BadRequest("since: %s has not been yet; give a time that is past", in.Since)
		}
		return from, now, nil
	}
	if in.Since != "" {
		return from, until, operation.BadRequest("quarter and since: give one of them")
	}
	year, _ := strconv.Atoi(in.Quarter[:4])
	from = time.Date(year, time.Month(3*int(in.Quarter[5]-'1')+1), 1, 0, 0, 0, 0, time.UTC)
	if !from.Before(now) {
		return from, until, operation.BadRequest("quarter: %s has not begun; give one that has", in.Quarter)
	}
	if until = from.AddDate(0, 3, 0); until.After(now) {
		until = now
	}
	return from, until, nil
}
