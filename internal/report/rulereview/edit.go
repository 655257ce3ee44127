package rulereview

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
)

// edit is a proposal for a rule of a file.
type edit struct {
	alert, group string
	proposal     RuleEdit
}

func (e edit) key() string { return e.group + "\x00" + e.alert + "\x00" + e.proposal.Kind }

// line is one of a file, and what becomes of it.
type line struct {
	text string // with its end
	gone bool
	then []string // lines after it
}

// diff makes the unified diff of the edits of a file. What cannot be done safely is left out, with the reason by the key of
// its edit: each edit is made by itself first, and stands only where the rules that are read afterwards are the old ones but for it.
func diff(path string, text []byte, edits []edit) (patch string, failed map[string]string) {
	failed = map[string]string{}
	before, errs := rules.Parse(text)
	var good []edit
	for _, e := range edits {
		reason := "the file cannot be read any more"
		if len(errs) == 0 {
			reason = try(before, text, e)
		}
		if reason != "" {
			failed[e.key()] = reason
			continue
		}
		good = append(good, e)
	}
	lines := split(text)
	for _, e := range good {
		change(lines, e)
	}
	return unified(path, lines), failed
}

// try makes one edit and reads the file anew; "" is good.
func try(before *rulefmt.RuleGroups, text []byte, e edit) string {
	lines := split(text)
	if reason := change(lines, e); reason != "" {
		return reason
	}
	var out bytes.Buffer
	for _, l := range lines {
		if !l.gone {
			out.WriteString(l.text)
		}
		for _, t := range l.then {
			out.WriteString(t)
		}
	}
	after, errs := rules.Parse(out.Bytes())
	if len(errs) > 0 || !slices.Equal(shape(before, &e), shape(after, nil)) {
		return "the way the rule is written does not allow a safe edit: change it by hand"
	}
	return ""
}

// shape is what a file's rules say, as they will be after an edit.
func shape(groups *rulefmt.RuleGroups, e *edit) (out []string) {
	for _, g := range groups.Groups {
		out = append(out, fmt.Sprint("group ", g.Name, g.Interval, g.Limit, g.Labels))
		for _, r := range g.Rules {
			severity := r.Labels["severity"]
			wait, keep := r.For.String(), r.KeepFiringFor.String()
			if e != nil && e.group == g.Name && e.alert == r.Alert {
				switch e.proposal.Kind {
				case "remove":
					continue
				case "for":
					wait = e.proposal.To
				case "keep_firing_for":
					keep = e.proposal.To
				case "severity":
					severity = e.proposal.To
				}
			}
			rest := map[string]string{}
			for k, v := range r.Labels {
				if k != "severity" {
					rest[k] = v
				}
			}
			out = append(out, fmt.Sprint(r.Record, r.Alert, "\x00", r.Expr, "\x00", wait, "\x00", keep, "\x00", severity, rest, r.Annotations))
		}
	}
	return out
}

func split(text []byte) []*line {
	var out []*line
	for l := range strings.Lines(string(text)) {
		out = append(out, &line{text: l})
	}
	return out
}

var (
	itemRE = regexp.MustCompile(`^(\s*)-(\s+)(\S.*)$`)
	keyRE  = regexp.MustCompile(`^(\s*)([A-Za-z_]+):(\s|$)`)
)

// block finds the lines [from, to) of the rule of an alert, and at which column its keys begin. An alert that stands twice is not found.
func block(lines []*line, alert string) (from, to, column, at int) {
	name := regexp.MustCompile(`^\s*(-\s+)?alert:\s*["']?` + regexp.QuoteMeta(alert) + `["']?\s*(#.*)?$`)
	at = -1
	for i, l := range lines {
		if name.MatchString(strings.TrimRight(l.text, "\r\n")) {
			if at >= 0 {
				return 0, 0, 0, -1
			}
			at = i
		}
	}
	for from = at; from >= 0; from-- {
		m := itemRE.FindStringSubmatch(strings.TrimRight(lines[from].text, "\r\n"))
		if m == nil {
			continue
		}
		column = len(m[1]) + 1 + len(m[2])
		if k := indent(lines[at].text); from < at && k != column {
			continue // an item of something else
		}
		for to = at + 1; to < len(lines); to++ {
			if t := strings.TrimSpace(lines[to].text); t != "" && !strings.HasPrefix(t, "#") && indent(lines[to].text) < column {
				break
			}
		}
		for to > at+1 && (strings.TrimSpace(lines[to-1].text) == "" || strings.HasPrefix(strings.TrimSpace(lines[to-1].text), "#") && indent(lines[to-1].text) < column) {
			to-- // comments and empty lines before what comes next are its own
		}
		return from, to, column, at
	}
	return 0, 0, 0, -1
}

func indent(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// change makes an edit of lines, or says why it cannot.
func change(lines []*line, e edit) string {
	from, to, column, at := block(lines, e.alert)
	if at < 0 {
		return "its rule is not written as a block of lines of its own, or its name stands twice: change it by hand"
	}
	switch e.proposal.Kind {
	case "remove":
		for _, l := range lines[from:to] {
			l.gone = true
		}
		return ""
	case "severity":
		for i := from; i < to; i++ {
			if m := keyRE.FindStringSubmatch(lines[i].text); m != nil && m[2] == "severity" && len(m[1]) > column {
				return set(lines[i], "severity", e.proposal.To)
			}
		}
		return "its severity is not on a line of its own: change it by hand"
	}
	for i := from; i < to; i++ {
		key := strings.Repeat(" ", column) + e.proposal.Kind + ":"
		first := itemRE.FindStringSubmatch(strings.TrimRight(lines[i].text, "\r\n"))
		if strings.HasPrefix(lines[i].text, key) || i == from && first != nil && strings.HasPrefix(first[3], e.proposal.Kind+":") {
			return set(lines[i], e.proposal.Kind, e.proposal.To)
		}
	}
	end := lines[at].text[len(strings.TrimRight(lines[at].text, "\r\n")):]
	if end == "" {
		return "the file ends within the rule: change it by hand"
	}
	lines[at].then = append(lines[at].then, strings.Repeat(" ", column)+e.proposal.Kind+": "+e.proposal.To+end)
	return ""
}

// set gives a key of a line another value; what stands behind it stays.
func set(l *line, key, value string) string {
	re := regexp.MustCompile(`^(.*?\b` + key + `:\s*)("[^"]*"|'[^']*'|[^\s#]+)(.*)$`)
	body := strings.TrimRight(l.text, "\r\n")
	m := re.FindStringSubmatch(body)
	if m == nil {
		return "its " + key + " is not written as one value: change it by hand"
	}
	l.gone = true
	l.then = append([]string{m[1] + value + m[3] + l.text[len(body):]}, l.then...)
	return ""
}

// around is how many lines of context a hunk has.
const around = 3

// unified writes a diff as git apply takes it.
func unified(path string, lines []*line) string {
	changed := func(l *line) bool { return l.gone || len(l.then) > 0 }
	if !slices.ContainsFunc(lines, changed) {
		return ""
	}
	name := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(path)), "/")
	out := fmt.Sprintf("--- a/%s\n+++ b/%s\n", name, name)
	shift := 0
	for i := 0; i < len(lines); i++ {
		if !changed(lines[i]) {
			continue
		}
		from, to := max(i-around, 0), i+1
		for k := i + 1; k < len(lines) && k <= to-1+2*around; k++ {
			if changed(lines[k]) {
				to = k + 1
			}
		}
		i = to
		to = min(to+around, len(lines))
		var body strings.Builder
		before, after := 0, 0
		write := func(mark, text string) {
			body.WriteString(mark + text)
			if !strings.HasSuffix(text, "\n") {
				body.WriteString("\n\\ No newline at end of file\n")
			}
		}
		for _, l := range lines[from:to] {
			before++
			if l.gone {
				write("-", l.text)
			} else {
				write(" ", l.text)
				after++
			}
			for _, t := range l.then {
				write("+", t)
				after++
			}
		}
		out += fmt.Sprintf("@@ -%s +%s @@\n%s", reach(from+1, before), reach(from+1+shift, after), body.String())
		shift += after - before
	}
	return out
}

// reach is where a hunk begins and how long it is; an empty one begins before its place.
func reach(from, n int) string {
	if n == 0 {
		from--
	}
	return fmt.Sprintf("%d,%d", from, n)
}
