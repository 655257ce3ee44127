package slo

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/history"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/store"
)

// objective is one SLO under evaluation: what was counted of it, how it stands, and whom it alerted. Only Run's goroutine
// changes it; mu guards what readers see.
type objective struct {
	mu      sync.Mutex
	def     *Definition
	history *history.History
	status  model.SLOStatus
	whole   model.SLOStatus // of one that has groups, without regard to them
	aside   bool            // a group that has ended, or that has too little where others have enough
	age     time.Duration   // of its data in the window
	fresh   fresh           // what was judged, and may not be shown yet

	alerts map[string]*store.SLOAlertRecord
	record store.SLORecord
	dirty  bool // record differs from what is stored
	judged judged
}

// judged is when an SLO was judged last, and on what.
type judged struct {
	known history.Known
	at    time.Time
}

// fresh is the last judgement.
type fresh struct {
	status model.SLOStatus
	age    time.Duration
}

// show makes the last judgement what readers see.
func (o *objective) show(aside bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status, o.age, o.aside = o.fresh.status, o.fresh.age, aside
}

// alone reports whether an SLO speaks for itself: how a group and what has groups are shown, face says, for all of them at once.
func (o *objective) alone() bool { return o.def.Group == nil && o.def.Grouping == nil }

// judgeEvery is how old a judgement may become while nothing new is known of an
// SLO: windows slide all the same.
const judgeEvery = 5 * time.Second

// newObjective makes one that follows another of the same name, or what the last run recorded.
func newObjective(d *Definition, before *objective, restored store.SLORecord) *objective {
	o := &objective{def: d, history: history.New(d), alerts: map[string]*store.SLOAlertRecord{}, record: restored}
	if before != nil {
		o.record = before.record
	}
	o.record.Name = d.Name
	for _, a := range o.record.Alerts {
		o.alerts[a.Name] = &a
	}
	return o
}

// follow takes another definition that measures the same.
func (o *objective) follow(d *Definition) {
	o.mu.Lock()
	o.def = d
	o.mu.Unlock()
	o.history.Follow(d)
}

// definition is the one in force.
func (o *objective) definition() *Definition {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.def
}

// due reports whether an SLO must be judged at now. Composites, which rest on
// others, and whatever alerts or is about to, always are.
func (o *objective) due(k history.Known, now time.Time) bool {
	return k != o.judged.known || o.history.Composite() || len(o.alerts) > 0 || len(o.record.Pending) > 0 ||
		now.Before(o.judged.at) || now.Sub(o.judged.at) >= judgeEvery
}

// conclude judges an SLO, if it is due, and updates its alerts and record.
func (o *objective) conclude(limits judgement.Limits, log *slog.Logger, now time.Time) model.SLOStatus {
	k := o.history.Known()
	if !o.due(k, now) {
		return o.own()
	}
	o.judged = judged{known: k, at: now}
	m := o.history.Measure(limits, now)
	v := judgement.Judge(limits, o.def, m, judgement.Standing{Active: func(name string) bool { return o.alerts[name] != nil }, Pending: o.record.Pending})
	s := v.Status
	if !maps.Equal(v.Pending, o.record.Pending) {
		o.record.Pending, o.dirty = v.Pending, true
	}
	for _, r := range v.Rows {
		a := o.alerts[r.Alert.Name]
		if r.Firing && a == nil {
			o.alerts[r.Alert.Name] = &store.SLOAlertRecord{Name: r.Alert.Name, Window: r.Long.Window, Since: now.UTC()}
			log.Warn("SLO burn alert fires", "slo", o.def.Name, "alert", r.Alert.Name, "burn", r.Long.Rate, "window", r.Long.Window)
			o.dirty = true
		}
	}
	reading := m.Loaded == 0 && !o.record.Since.IsZero()
	if s.State != o.record.State && !reading {
		o.record.State, o.record.Since = s.State, now.UTC()
		o.dirty = true
	}
	if reading {
		// A restart is no change of state: the old one stands until history is read.
		s.State = o.record.State
	}
	if !o.record.Since.IsZero() {
		since := o.record.Since
		s.Since = &since
	}
	o.fresh = fresh{status: s, age: m.Age}
	switch {
	case o.def.Grouping != nil:
		o.mu.Lock()
		o.whole = s
		o.mu.Unlock()
	case o.alone():
		o.show(false)
	}
	return s
}

// own is how the SLO itself stands; one that has groups is shown as its worst.
func (o *objective) own() model.SLOStatus {
	switch {
	case o.def.Grouping != nil:
		return o.whole
	case o.def.Group != nil:
		return o.fresh.status
	}
	return o.status
}

// snapshot is how it stands for a deployment of a service to an environment ("" means any); false where that does not
// concern it, or where others say how things stand: the groups of an SLO, or those that go on.
func (o *objective) snapshot(service, environment string) (model.SLOSnapshot, bool) {
	lastData, whole := o.history.LastData(), o.history.Whole()
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.def
	elsewhere := o.aside || o.status.Groups != nil && o.status.Groups.Worst != nil
	if elsewhere || d.PartOf != "" || d.Service != service || !model.SameEnvironment(d.Environment, environment) {
		return model.SLOSnapshot{}, false
	}
	return model.SLOSnapshot{
		Status: o.status, Environment: d.Environment, LastData: lastData, Age: o.age, Loaded: !o.status.Time.IsZero() && whole,
	}, true
}

// worstGroup is the name of the group whose figures the SLO shows, "" without any.
func (o *objective) worstGroup() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.status.Groups == nil || o.status.Groups.Worst == nil {
		return ""
	}
	return definition.GroupName(o.def.Name, o.status.Groups.Worst)
}

// recorded is what must survive a restart.
func (o *objective) recorded(now time.Time) store.SLORecord {
	o.record.Alerts = o.record.Alerts[:0:0]
	for _, a := range o.alerts {
		o.record.Alerts = append(o.record.Alerts, *a)
	}
	slices.SortFunc(o.record.Alerts, func(a, b store.SLOAlertRecord) int { return strings.Compare(a.Name, b.Name) })
	o.record.Updated = now
	return o.record
}
