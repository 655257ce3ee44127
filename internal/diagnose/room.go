// Package diagnose says in sentences and figures what a service does, what is
// unusual about it, what caused what fails now, and why somebody was paged or was not.
//
// It asks PromQL over span metrics, compares a service with its own last day, and sets the
// findings beside deployment markers, SLOs, alerts and pages; which of them is the cause
// is concluded in internal/cause. It stores nothing, judges no SLO and changes nothing.
//
// In: PromQL answers, deployments, SLOs, edges, alerts and pages, each
// behind a small interface. Out: ServiceSummary, ServiceDetail and Explanation.
//
// Invariants: a figure without data is nil, never zero; each question asks a
// fixed number of queries, a few at once. A Diagnoser keeps no state and is safe for
// concurrent use.
//
// Start reading at services.go, then unusual.go, causes.go and explain.go.
package diagnose

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Querier evaluates PromQL; query/promql.Engine does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// SLOs knows the SLOs; slo.Engine does.
type SLOs interface {
	SLOs(ctx context.Context, service string) (list []model.SLOStatus, summary string, err error)
}

// Deploys knows deployment markers; store/state does.
type Deploys interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// Edges knows who calls whom; process/topology does.
type Edges interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// Pages knows who was paged; store/state does.
type Pages interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
}

// Alerts knows the alerts that are active now, silenced and inhibited ones too.
type Alerts interface {
	ActiveAlerts(ctx context.Context) ([]inforce.ActiveAlert, error)
}

// Rules knows the alerting rules; alerting/rules does.
type Rules interface {
	AlertRules() []inforce.AlertRule
}

// Routing knows where alerts go and what silences them; alerting/router does.
type Routing interface {
	Destinations() func(labels model.Labels) []notify.Destination
	Silence(ctx context.Context, id string) (inforce.Silence, bool)
}

// Escalations knows whom pages go to; oncall/escalation does.
type Escalations interface {
	OfPage(ctx context.Context, page string) (escalation.View, error)
	Supposed(ctx context.Context, labels model.Labels) (escalation.View, error)
}

// Deps is what the room asks. Querier is needed; what else is nil is answered
// as empty.
type Deps struct {
	Logger  *slog.Logger
	Querier Querier
	SLOs    SLOs
	Deploys Deploys
	Edges   Edges
	Pages   Pages
	Alerts  Alerts
	Rules   Rules
	Routing Routing
	Hider   Hider
	Home    model.Home
	// Escalations answers nil before there is one.
	Escalations func() Escalations
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Diagnoser answers questions.
type Diagnoser struct {
	deps Deps
	log  *slog.Logger
}

// New makes a room; it starts nothing.
func New(deps Deps) (*Diagnoser, error) {
	if deps.Querier == nil {
		return nil, errors.New("diagnose: it needs a querier")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Diagnoser{deps: deps, log: deps.Logger}, nil
}

// parallel is how many queries of one question run at once.
const parallel = 4
