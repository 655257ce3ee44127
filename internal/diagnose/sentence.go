package diagnose

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// explain finds the causes of what is unusual; facts are read only when something is.
func (r *Diagnoser) explain(ctx context.Context, tenant, name string, u *unusual, at time.Time) (*model.Cause, error) {
	if !u.any() {
		return nil, nil
	}
	k, err := r.factsAround(access.Whole(ctx), tenant, u.since(), at)
	if err != nil {
		return nil, err
	}
	var main *model.Cause
	for _, c := range []*change{u.errors, u.latency, u.traffic} {
		if c == nil {
			continue
		}
		s := cause.Symptom{Service: name, Since: c.since, Until: c.until, At: at, Window: signalWindow, Slow: c == u.latency}
		found, err := r.causeOf(ctx, s, k)
		if err != nil {
			return nil, err
		}
		c.cause = found.Text
		if main == nil && c.lasts() {
			main = &found
		}
	}
	return main, nil
}

func (u unusual) any() bool { return u.errors != nil || u.latency != nil || u.traffic != nil }

// since is when the first of what is unusual began.
func (u unusual) since() time.Time {
	var first time.Time
	for _, c := range []*change{u.errors, u.latency, u.traffic} {
		if c != nil && (first.IsZero() || c.since.Before(first)) {
			first = c.since
		}
	}
	return first
}

// sentence says the most important thing about a service.
func (u unusual) sentence(d ServiceDetail) string {
	if d.Rate == nil {
		return "No requests were seen in this range."
	}
	if parts := u.lasting(); len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	past := u.past()
	if burn := burningText(d.SLOs); burn != "" {
		return strings.TrimSpace(burn + " " + strings.TrimPrefix(past, "All is normal again. "))
	}
	if past != "" {
		return past
	}
	text := "Nothing unusual: "
	if !u.known {
		text = "There is less than an hour of history to compare with: "
	}
	text += human.Number(*d.Rate) + " requests/s"
	if d.ErrorRatio != nil {
		text += ", " + human.Percent(*d.ErrorRatio) + " errors"
	}
	if d.P95Seconds != nil {
		text += ", P95 " + human.Seconds(*d.P95Seconds)
	}
	return text + "."
}

// burningText names the worst SLO that burns above its limit; "" when none does.
func burningText(slos []model.SLOStatus) string {
	for _, st := range slos { // worst first
		if burns(st) {
			return fmt.Sprintf("SLO %s: %s.", st.Name, strings.TrimSuffix(st.Reason, "."))
		}
	}
	return ""
}

// burns says whether a burn alert of an SLO is active; one whose budget is spent
// may burn too.
func burns(st model.SLOStatus) bool {
	return st.State == model.SLOBurning || st.State == model.SLOExhausted && len(st.Alerts) > 0
}

func (u unusual) lasting() (parts []string) {
	if c := u.errors; c.lasts() {
		if c.normal > 0 {
			parts = append(parts, fmt.Sprintf("Errors %s normal since %s%s.", human.Times(c.now/c.normal), human.Clock(c.since), c.cause))
		} else {
			parts = append(parts, fmt.Sprintf("%s of requests fail since %s%s; normally none do.", human.Percent(c.now), human.Clock(c.since), c.cause))
		}
	}
	if c := u.latency; c.lasts() {
		parts = append(parts, fmt.Sprintf("P95 %s normal (%s) since %s%s.", human.Times(c.now/c.normal), human.Seconds(c.now), human.Clock(c.since), c.cause))
	}
	if c := u.traffic; c.lasts() {
		parts = append(parts, fmt.Sprintf("Traffic is down to %s of normal since %s%s.", human.Percent(c.now/c.normal), human.Clock(c.since), c.cause))
	}
	return parts
}

// past says what was unusual in the range and is over, the worst kind first. It
// calls normal only what is.
func (u unusual) past() string {
	var what, still string
	var c *change
	switch {
	case u.errors.over():
		c = u.errors
		what, still = "Errors reached "+human.Percent(c.now), fmt.Sprintf("Errors are still %s (normal %s).", human.Percent(c.last), human.Percent(c.normal))
	case u.latency.over():
		c = u.latency
		what, still = "P95 reached "+human.Seconds(c.now), fmt.Sprintf("P95 is still %s (normal %s).", human.Seconds(c.last), human.Seconds(c.normal))
	case u.traffic.over():
		c = u.traffic
		what, still = "Traffic fell to "+human.Percent(c.now/c.normal)+" of normal", fmt.Sprintf("Traffic is still %s of normal.", human.Percent(c.last/c.normal))
	default:
		return ""
	}
	begin := "All is normal again."
	if !c.calm {
		begin = still
	}
	return fmt.Sprintf("%s %s over 5 m, from %s to %s%s.", begin, what, human.Clock(c.since), human.Clock(c.until), c.cause)
}
