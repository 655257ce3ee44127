package ack

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/links"
	"github.com/signalbox-project/signalbox/internal/model"
)

// maxShown is how many alerts are listed.
const maxShown = 10

// view is what a page says.
type view struct {
	Heading, Text, Cure string
	Home, Action        string

	Title, Summary, Severity string
	Since, Ago               string
	Alerts                   []shownAlert
	More                     int
	As, Subject              string
	Link                     string // to be sent back by the form; "" shows none
}

type shownAlert struct{ Name, Where, Since, Href string }

// view says how a page stands. Only one that fires and nobody has can be acknowledged.
func (p *Pages) view(page model.Page, c links.Claim, link string) view {
	now := p.deps.Now()
	v := view{
		Title: page.Title, Summary: page.Summary, Severity: page.Severity, As: c.Name, Subject: c.Subject,
		Since: clock(page.Time), Ago: ago(now.Sub(page.Time)),
	}
	switch {
	case page.Status != "firing":
		v.Heading, v.Text = "This is over", "The page ended by itself."
		if page.ResolvedAt != nil {
			v.Text = "The page ended at " + clock(*page.ResolvedAt) + "; there is nothing to acknowledge."
		}
	case page.AckedBy == c.Subject:
		v.Heading, v.Text = "Acknowledged", "Recorded as "+c.Name+ofTime(page.AckedAt)+". Others see that somebody has it. Nothing is silenced."
	case page.AckedBy != "":
		v.Heading, v.Text = "Already acknowledged", "By "+page.AckedBy+ofTime(page.AckedAt)+"."
	default:
		v.Heading, v.Link = "Acknowledge this page?", link
	}
	for _, a := range page.Alerts {
		if a.Status != "firing" {
			continue
		}
		if len(v.Alerts) == maxShown {
			v.More++
			continue
		}
		v.Alerts = append(v.Alerts, shownAlert{
			Name: a.Labels["alertname"], Where: where(a.Labels), Since: clock(a.StartsAt),
			Href: p.deps.External.JoinPath("alerts", a.Fingerprint).String(),
		})
	}
	return v
}

func where(ls model.Labels) string {
	var out []string
	for _, name := range []string{"service", "env", "region", "instance"} {
		if v := ls.Own(name); v != "" {
			out = append(out, v)
		}
	}
	return strings.Join(out, ", ")
}

func clock(t time.Time) string { return t.UTC().Format("15:04 UTC, 2 Jan") }

func ofTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " at " + clock(*t)
}

func ago(d time.Duration) string {
	switch d = d.Round(time.Minute); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("for %d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("for %d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("for %d days", int(d.Hours())/24)
}

func (p *Pages) show(w http.ResponseWriter, status int, v view) {
	v.Action, v.Home = "/"+strings.TrimPrefix(p.deps.External.JoinPath(path).Path, "/"), p.deps.External.JoinPath("alerts").String()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// The address holds the link: no other page may learn it, nor the log of a proxy by way of a Referer.
	h.Set("Referrer-Policy", "strict-origin")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+styleHash+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // whoever asked may be gone
}

// style has the colours of the UI.
const style = `:root{--bg:#f7f7f8;--surface:#fff;--line:#cdd0d6;--text:#1b1c1f;--dim:#595d67;--accent:#2c50c7;--on:#fff;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--bg:#101113;--surface:#17181b;--line:#41444c;--text:#e7e8eb;--dim:#a0a4ae;--accent:#93aeff;--on:#101113}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:36rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.4rem;line-height:1.25;margin:.25rem 0 1rem}
h2{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0}
.card{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem;margin:1rem 0}
.card strong{font-size:1.1rem}
.dim{color:var(--dim)}
ul{list-style:none;margin:0;padding:0}
li{border-top:1px solid var(--line)}
li a{display:block;padding:.7rem 0;min-height:44px}
li span{display:inline-block;width:100%;color:var(--dim);font-size:.9rem}
a{color:var(--accent)}
button{width:100%;min-height:56px;border:0;border-radius:8px;background:var(--accent);color:var(--on);font:inherit;font-size:1.15rem;font-weight:600;cursor:pointer}
button:focus-visible,a:focus-visible{outline:3px solid var(--text);outline-offset:2px}
code{font-size:.9em}
.home{display:inline-block;padding:.7rem 0}
@media (min-width:45rem){main{padding-top:4rem}button{width:auto;padding:0 2.5rem}}`

// styleHash lets this style in, and no other.
var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

var page = template.Must(template.New("ack").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>Signalbox: {{.Heading}}</title><style>` + style + `</style></head><body><main>
<div{{if not .Link}} role="status"{{end}}><h1>{{.Heading}}</h1></div>
{{with .Text}}<p>{{.}}</p>{{end}}
{{with .Cure}}<p>{{.}}</p>{{end}}
{{if .Title}}<div class="card"><strong>{{.Title}}</strong>
{{with .Summary}}<p>{{.}}</p>{{end}}
<p class="dim">{{with .Severity}}{{.}}, {{end}}paged {{.Ago}}, since {{.Since}}</p></div>{{end}}
{{if .Link}}<form method="post" action="{{.Action}}"><input type="hidden" name="token" value="{{.Link}}"><button>Acknowledge</button></form>
<p>It is recorded as {{.As}} (<code>{{.Subject}}</code>). Others see that somebody has it. Nothing is silenced.</p>{{end}}
{{if .Alerts}}<h2>Firing now</h2><ul>{{range .Alerts}}<li><a href="{{.Href}}" rel="noreferrer">{{.Name}}<span>{{with .Where}}{{.}}, {{end}}since {{.Since}}</span></a></li>{{end}}</ul>
{{if .More}}<p class="dim">and {{.More}} more</p>{{end}}{{end}}
<a class="home" href="{{.Home}}" rel="noreferrer">Open Signalbox</a>
</main></body></html>
`))
