package site

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/statuspage"
)

//go:embed page.html.tmpl
var pageText string

// recent is how far back the first page tells of what is over.
const recent = 14 * 24 * time.Hour

// pages are the HTML of one View.
type pages struct {
	V      statuspage.View
	W      vocabulary
	Static bool
	zone   *time.Location
	text   *template.Template
}

// page is one of them.
type page struct {
	*pages
	path    string
	Kind    string // index, history, notice
	Heading string
	Notice  *statuspage.Notice
}

func newPages(v statuspage.View, o Options) (*pages, error) {
	zone, err := time.LoadLocation(v.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	p := &pages{V: v, W: vocabularyOf(v.Language), Static: o.Static, zone: zone}
	p.text, err = template.New("page").Funcs(template.FuncMap{
		"top": top, "policy": Policy, "style": styleOf, "script": scriptOf, "of": on, "live": liveOn, "planned": planned, "past": past, "groups": groups,
		"counted": counted, "months": months, "ratio": vocabulary.ratio, "uptime": vocabulary.uptimeOf, "iso": iso, "at": p.at, "bars": bars, "days": oddDays, "minutes": spanOf, "text": linked,
	}).Parse(pageText)
	return p, err
}

func (p *pages) all() []page {
	out := []page{
		{pages: p, path: "index.html", Kind: "index", Heading: p.V.Title},
		{pages: p, path: "history/index.html", Kind: "history", Heading: p.W.History + " – " + p.V.Title},
	}
	for i := range p.V.Notices {
		n := &p.V.Notices[i]
		out = append(out, page{pages: p, path: "incidents/" + n.ID + "/index.html", Kind: "notice", Heading: n.Title + " – " + p.V.Title, Notice: n})
	}
	return out
}

func (p page) render() ([]byte, error) {
	var b bytes.Buffer
	err := p.text.Execute(&b, p)
	return b.Bytes(), err
}

// top is the way to the folder of the status page.
func top(p page) string { return up(p.path) }

func styleOf() template.HTML { return template.HTML("<style>" + style + "</style>") } //nolint:gosec // ours, and constant

func scriptOf() template.HTML { return template.HTML("<script>" + script + "</script>") } //nolint:gosec // ours, and constant

// shownNotice is a notice and the page that it stands on.
type shownNotice struct {
	P page
	N *statuspage.Notice
}

// on is a notice on a page.
func on(p page, n any) shownNotice {
	if one, ok := n.(statuspage.Notice); ok {
		return shownNotice{p, &one}
	}
	one, _ := n.(*statuspage.Notice)
	return shownNotice{p, one}
}

func (p page) notices(which func(statuspage.Notice) bool) (out []statuspage.Notice) {
	for _, n := range p.V.Notices {
		if which(n) {
			out = append(out, n)
		}
	}
	return out
}

// liveOn are incidents that are not over.
func liveOn(p page) []statuspage.Notice { return p.notices(live) }

// planned is maintenance that is not over, the next first.
func planned(p page) []statuspage.Notice {
	out := p.notices(func(n statuspage.Notice) bool { return n.Kind == statuspage.OfMaintenance && !n.Status.Over() })
	slices.SortStableFunc(out, func(a, b statuspage.Notice) int { return a.Starts.Compare(*b.Starts) })
	return out
}

// past is what was over lately.
func past(p page) []statuspage.Notice {
	return p.notices(func(n statuspage.Notice) bool { return n.Status.Over() && p.V.Generated.Sub(n.Changed) <= recent })
}

func live(n statuspage.Notice) bool { return n.Kind == statuspage.OfIncident && !n.Status.Over() }

// group is components that stand together.
type group struct {
	Title      string
	Components []statuspage.ComponentView
}

// groups are those of the page, in the order of their first components.
func groups(p page) (out []group) {
	for _, c := range p.V.Components {
		i := slices.IndexFunc(out, func(g group) bool { return g.Title == c.Group })
		if i < 0 {
			i, out = len(out), append(out, group{Title: c.Group})
		}
		out[i].Components = append(out[i].Components, c)
	}
	return out
}

// counted reports whether any uptime is shown.
func counted(p page) bool {
	return slices.ContainsFunc(p.V.Components, func(c statuspage.ComponentView) bool { return c.Uptime != nil })
}

// month is what began in one month.
type month struct {
	ID, Title string
	Notices   []statuspage.Notice
}

// months are all notices by the month in which they began, in the page's time zone.
func months(p page) (out []month) {
	for _, n := range p.V.Notices {
		at := n.Created.In(p.zone)
		id := at.Format("2006-01")
		if len(out) == 0 || out[len(out)-1].ID != id {
			out = append(out, month{ID: id, Title: p.W.Months[at.Month()-1] + " " + at.Format("2006")})
		}
		out[len(out)-1].Notices = append(out[len(out)-1].Notices, n)
	}
	return out
}

func iso(t any) string {
	switch t := t.(type) {
	case time.Time:
		return t.UTC().Format(time.RFC3339)
	case *time.Time:
		return t.UTC().Format(time.RFC3339)
	}
	return ""
}

// at is a time as readers of the page see it.
func (p *pages) at(t any) string {
	const layout = "2006-01-02 15:04 MST"
	switch t := t.(type) {
	case time.Time:
		return t.In(p.zone).Format(layout)
	case *time.Time:
		return t.In(p.zone).Format(layout)
	}
	return ""
}

// What a day with a ratio is called in the bars.
const (
	goodFrom = 0.999
	fairFrom = 0.99
)

// bars draws days: the worse a day was, the lower is its bar; one without data is a short grey one.
func bars(days []statuspage.Day) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="days" viewBox="0 0 %d 30" preserveAspectRatio="none" aria-hidden="true">`, 4*len(days)-1)
	for i, d := range days {
		class, height := "d-none", 4
		if d.Ratio != nil {
			switch {
			case *d.Ratio >= goodFrom:
				class, height = "d-good", 24
			case *d.Ratio >= fairFrom:
				class, height = "d-fair", 17
			default:
				class, height = "d-poor", 10
			}
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="3" height="%d"><title>%s %s</title></rect>`, class, 4*i, 24-height, height, template.HTMLEscapeString(d.Date), percent(d.Ratio, "."))
		if d.Maintenance {
			fmt.Fprintf(&b, `<rect class="d-plan" x="%d" y="26" width="3" height="4"/>`, 4*i)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, and dates that are escaped
}

// oddDays are those that are not wholly good, the newest first.
func oddDays(days []statuspage.Day) (out []statuspage.Day) {
	for _, d := range slices.Backward(days) {
		if d.Ratio != nil && *d.Ratio < goodFrom || d.Ratio != nil && d.Maintenance {
			out = append(out, d)
		}
	}
	return out
}

// percent is a share, never rounded up: 100 % is all.
func percent(ratio *float64, point string) string {
	if ratio == nil {
		return "–"
	}
	if *ratio >= 1 {
		return "100 %"
	}
	// A share such as 0.9997 has no exact binary form: what is a billionth below a hundredth is that hundredth.
	text := fmt.Sprintf("%.2f", math.Floor(*ratio*1e4+1e-5)/1e2)
	return strings.Replace(text, ".", point, 1) + " %"
}

// spanOf is a number of minutes in hours and minutes.
func spanOf(minutes float64) string {
	m := int(math.Round(minutes))
	return fmt.Sprintf("%d h %02d min", m/60, m%60)
}

// piece is a part of a text, with a link where it is one.
type piece struct{ Text, Href string }

var linkRE = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)]`)

// linked finds the addresses in a text.
func linked(text string) (out []piece) {
	for text != "" {
		at := linkRE.FindStringIndex(text)
		if at == nil {
			return append(out, piece{Text: text})
		}
		link := text[at[0]:at[1]]
		if at[0] > 0 {
			out = append(out, piece{Text: text[:at[0]]})
		}
		if weblink.Check(link) != nil {
			out = append(out, piece{Text: link})
		} else {
			out = append(out, piece{link, link})
		}
		text = text[at[1]:]
	}
	return out
}
