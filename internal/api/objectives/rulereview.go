package objectives

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/report/rulereview"
)

// RuleReviews says what alerting rules did and what of them could be changed; rulereview.Room does.
type RuleReviews interface {
	Review(ctx context.Context, days int) (rulereview.RuleReview, error)
}

type ruleReviewInput struct {
	Days int `query:"days" default:"28" minimum:"1" maximum:"92" doc:"until now"`
}

func (h *handlers) registerRuleReviews() {
	operation.Register(h.Registry, operation.Operation{
		ID: "getRuleReview", Path: "/report/rules", Tag: "pages", Permission: access.AlertsRead, Work: front.Heavy,
		Summary:     "What each alerting rule did, and what of its file could be changed",
		Description: "The patch is a unified diff of the rule files for git apply. Nothing is changed here.",
		Served:      h.deps.RuleReviews != nil, Room: "reviews of rules",
	}, func(ctx context.Context, in *ruleReviewInput) (rulereview.RuleReview, error) {
		if err := forAll(ctx, "reviews of rules"); err != nil {
			return rulereview.RuleReview{}, err
		}
		return h.deps.RuleReviews.Review(ctx, in.Days)
	})
}
