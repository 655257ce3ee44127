package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// teamLabel is by which routes find a team.
const teamLabel = "team"

const (
	// keptFor is for how long an alert that is not raised again keeps its team.
	keptFor = time.Hour
	// maxKept bounds the alerts whose team is kept.
	maxKept = 50_000
)

// keptTeams are the teams that alerts began with. Labels are an alert's identity: with the team of a catalogue that was changed
// meanwhile the same alert would be a second one, and the first would never be told to have ended.
type keptTeams struct {
	mu    sync.Mutex
	teams map[string]keptTeam // by the labels without a team
}

type keptTeam struct {
	team string
	used time.Time
}

// WithTeam adds to the labels of an alert of ours the team of its service, where they name none. It answers other labels where it
// does, and does not change those that it was given.
func (r *Room) WithTeam(ls model.Labels) model.Labels { return labelled(ls, r.teamOf) }

// Labelled is what WithTeam would answer for an alert that begins now.
func (r *Room) Labelled(ls model.Labels) model.Labels {
	return labelled(ls, func(ls model.Labels) string {
		o, _ := r.Owner(ls["service"], ls[access.NamespaceLabel])
		return o.Team
	})
}

func labelled(ls model.Labels, teamOf func(model.Labels) string) model.Labels {
	if ls["service"] == "" || ls[teamLabel] != "" {
		return ls
	}
	team := teamOf(ls)
	if team == "" {
		return ls
	}
	out := maps.Clone(ls)
	out[teamLabel] = team
	return out
}

func (r *Room) teamOf(ls model.Labels) string {
	now, key := r.now(), identity(ls)
	r.kept.mu.Lock()
	defer r.kept.mu.Unlock()
	was, known := r.kept.teams[key]
	if !known || now.Sub(was.used) > keptFor {
		o, _ := r.Owner(ls["service"], ls[access.NamespaceLabel])
		was.team = o.Team
	}
	if was.team == "" && r.seen.Load() == nil {
		return "" // not known yet is not nobody
	}
	if !known && len(r.kept.teams) >= maxKept {
		maps.DeleteFunc(r.kept.teams, func(_ string, k keptTeam) bool { return now.Sub(k.used) > keptFor })
		if len(r.kept.teams) >= maxKept {
			return was.team
		}
	}
	r.kept.teams[key] = keptTeam{was.team, now}
	return was.team
}

// identity is a text that only the same labels have.
func identity(ls model.Labels) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(ls)) {
		b.WriteString(name)
		b.WriteByte(0xff) // in no label
		b.WriteString(ls[name])
		b.WriteByte(0xff)
	}
	return b.String()
}

// Sender gives alerts the team of their service and hands them on.
type Sender struct {
	Room *Room
	Next notify.Sender
}

// Send is notify.Sender's.
func (s Sender) Send(ctx context.Context, alerts ...notify.Alert) error {
	out := slices.Clone(alerts)
	for i := range out {
		out[i].Labels = s.Room.WithTeam(out[i].Labels)
	}
	return s.Next.Send(ctx, out...)
}
