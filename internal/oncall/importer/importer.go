// Package importer turns exports of Grafana OnCall, GoAlert, Opsgenie and PagerDuty into on-call files: people with their contacts,
// schedules, overrides and escalation policies.
//
// In: files as the tools' APIs answer them, Grafana OnCall's iCalendar files too. Out: an Outcome, and as text what oncall_files take, with everything
// that could not be carried and why. It asks no server.
//
// Invariants: what is carried has the same people on call in every moment; what cannot be carried so is left out and named, never bent. Where
// a tool has several people on call at once, a schedule becomes several, and steps of policies that name it tell all of them.
//
// Start reading at Read, then draft.definitions.
package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// File is one file of an export.
type File struct {
	Name string
	Text []byte
}

// Loss is something that could not be carried.
type Loss struct {
	Where string // such as: schedule Primary, layer 2
	Why   string
}

// Outcome is what an export becomes.
type Outcome struct {
	People    []oncall.Person
	Schedules []oncall.Definition
	Policies  []policy.EscalationPolicy
	Overrides []oncall.Override
	Lost      []Loss
}

// Tools are those whose exports can be read, by the names of --from.
func Tools() []string { return []string{"grafana-oncall", "goalert", "opsgenie", "pagerduty"} }

// Read reads the export of a tool. What was over before now is left out.
func Read(tool string, now time.Time, files []File) (Outcome, error) {
	b := &builder{now: now.UTC(), names: map[string]string{}, taken: map[string]bool{}, pages: map[string]int{}, open: map[string]int{}}
	read := map[string]func(*builder, objects) error{"grafana-oncall": readGrafana, "goalert": readGoAlert, "opsgenie": readOpsgenie, "pagerduty": readPagerDuty}[tool]
	if read == nil {
		return b.out, fmt.Errorf("--from %q is unknown: %s are read", tool, strings.Join(Tools(), ", "))
	}
	var all objects
	for _, f := range files {
		if tool == "grafana-oncall" && bytes.HasPrefix(bytes.TrimSpace(f.Text), []byte("BEGIN:VCALENDAR")) {
			b.calendars = append(b.calendars, f)
			continue
		}
		if err := b.collect(&all, f); err != nil {
			return b.out, err
		}
	}
	for list, n := range b.pages {
		if n > 0 && n == b.open[list] {
			b.lost("the files", "each page of %s says that there are more: fetch the ones that follow, too", list)
		}
	}
	if err := read(b, all); err != nil {
		return b.out, err
	}
	if len(b.out.People)+len(b.out.Schedules)+len(b.out.Policies) == 0 && len(b.out.Lost) == 0 {
		return b.out, errors.New("there is nothing of " + tool + " in the files: give the JSON answers of its API (docs/oncall.md says which)")
	}
	slices.SortStableFunc(b.out.Overrides, func(a, c oncall.Override) int { return a.Start.Compare(c.Start) })
	return b.out, nil
}

// objects are those of all files, with the name of the list that each stood in.
type objects []object

type object struct {
	list string
	file string
	raw  json.RawMessage
}

func (o object) fields() (out map[string]json.RawMessage) {
	_ = json.Unmarshal(o.raw, &out) // it was read as an object already
	return out
}

// listNames are where APIs have their lists: an answer's single object stands under the singular.
var listNames = []string{
	"results", "data", "nodes", "schedules", "schedule", "escalation_policies", "escalation_policy", "users", "user", "overrides", "rotations", "escalationPolicies", "userOverrides",
	"on_call_shifts", "escalation_chains", "teams", "contact_methods",
}

// collect takes the objects out of one answer.
func (b *builder) collect(to *objects, f File) error {
	d := json.NewDecoder(bytes.NewReader(f.Text))
	for {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			if d.InputOffset() >= int64(len(bytes.TrimRight(f.Text, " \r\n\t"))) && len(bytes.TrimSpace(f.Text)) > 0 && v == nil && strings.HasSuffix(err.Error(), "EOF") && !strings.HasPrefix(err.Error(), "unexpected") {
				return nil
			}
			return fmt.Errorf("%s: it is no JSON: %w", f.Name, err)
		}
		b.walk(to, f.Name, "", v, 0)
	}
}

func (b *builder) walk(to *objects, file, list string, raw json.RawMessage, depth int) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || depth > 4 {
		return
	}
	if raw[0] == '[' {
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) == nil {
			for _, e := range elements {
				if e = bytes.TrimSpace(e); len(e) > 0 && e[0] == '{' {
					*to = append(*to, object{list, file, e})
				}
			}
		}
		return
	}
	var fields map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &fields) != nil {
		return
	}
	b.page(list, fields)
	found := false
	if fields["id"] == nil && fields["_parent"] == nil {
		for _, name := range listNames {
			if inner := fields[name]; len(inner) > 0 {
				found = true
				as := name
				if slices.Contains([]string{"results", "data", "nodes"}, name) {
					as = list
				}
				b.walk(to, file, as, inner, depth+1)
			}
		}
	}
	if !found && depth < 4 {
		*to = append(*to, object{list, file, raw})
	}
}

// page notes whether an answer says that it is not the last of its list.
func (b *builder) page(list string, fields map[string]json.RawMessage) {
	var more struct {
		More   bool
		Next   *string
		Paging struct{ Next string }
		Info   struct{ HasNextPage bool }
	}
	_ = json.Unmarshal(fields["more"], &more.More)
	_ = json.Unmarshal(fields["next"], &more.Next)
	_ = json.Unmarshal(fields["paging"], &more.Paging)
	_ = json.Unmarshal(fields["pageInfo"], &more.Info)
	kind := list
	for _, name := range listNames {
		if kind == "" && fields[name] != nil {
			kind = name
		}
	}
	if kind == "" {
		return
	}
	b.pages[kind]++
	if more.More || more.Next != nil && *more.Next != "" || more.Paging.Next != "" || more.Info.HasNextPage {
		b.open[kind]++
	}
}

// builder gathers an outcome.
type builder struct {
	now       time.Time
	out       Outcome
	names     map[string]string // of people by what the tool calls them
	taken     map[string]bool   // names that are given
	calendars []File
	targets   map[string][]string // schedules by what the tool calls one
	pages     map[string]int      // answers by list
	open      map[string]int      // those of them that say there are more
}

func (b *builder) lost(where, format string, args ...any) {
	l := Loss{Where: where, Why: fmt.Sprintf(format, args...)}
	if !slices.Contains(b.out.Lost, l) {
		b.out.Lost = append(b.out.Lost, l)
	}
}

var notName = regexp.MustCompile(`[^a-z0-9._@-]+`)

// name makes a name for oncall_files of a text, which nothing of the kind has yet.
func (b *builder) name(kind, text string) string {
	base := strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "-"), "-._@")
	if base == "" {
		base = "unnamed"
	}
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		if !b.taken[kind+"/"+name] {
			b.taken[kind+"/"+name] = true
			return name
		}
	}
}

// person adds somebody, whom the tool calls by ids.
func (b *builder) person(p oncall.Person, ids ...string) {
	text := p.Shown
	if local, _, ok := strings.Cut(p.Email, "@"); ok {
		text = local
	}
	p.Name = b.name("person", text)
	if p.TimeZone != "" {
		if _, err := time.LoadLocation(p.TimeZone); err != nil {
			b.lost("person "+p.Name, "the time zone %q is none of IANA's", p.TimeZone)
			p.TimeZone = ""
		}
	}
	b.out.People = append(b.out.People, p)
	for _, id := range ids {
		if id != "" {
			b.names[id] = p.Name
		}
	}
}

// who is the name of somebody whom the tool calls by an id; whom the export does not have is added by the name that is shown.
func (b *builder) who(id, shown string) string {
	if name, ok := b.names[id]; ok {
		return name
	}
	if shown == "" {
		shown = id
	}
	b.person(oncall.Person{Shown: shown}, id)
	b.lost("person "+b.names[id], "the export has no user %s, so that their contacts are not known", id)
	return b.names[id]
}

// schedule adds what a draft becomes; the tool calls it by ids.
func (b *builder) schedule(d draft, ids ...string) {
	made := d.definitions(b)
	if b.targets == nil {
		b.targets = map[string][]string{}
	}
	for _, id := range ids {
		for _, one := range made {
			b.targets[id] = append(b.targets[id], one.Name)
		}
	}
	b.out.Schedules = append(b.out.Schedules, made...)
}

// notify are the targets of a step that names a schedule.
func (b *builder) notify(where, id, shown string) (out []policy.EscalationTarget) {
	if len(b.targets[id]) == 0 {
		b.lost(where, "the schedule %s is not among those that were carried", either(shown, id))
	}
	for _, name := range b.targets[id] {
		out = append(out, policy.EscalationTarget{Schedule: name})
	}
	return out
}

// policy adds one that has a step, for services or by its name.
func (b *builder) policy(shown string, p policy.EscalationPolicy) {
	p.Name, p.Text = b.name("policy", shown), shown
	if len(p.Steps) == 0 {
		b.lost("escalation policy "+shown, "it tells nobody of whom the export knows")
		return
	}
	p.Steps[0].After = 0
	if len(p.Services) == 0 && !p.Default {
		p.Match = map[string]string{policy.Label: p.Name} // alerts name it
	}
	b.out.Policies = append(b.out.Policies, p)
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
