package webhook

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// version of the payload: it rises when a field goes or changes its meaning.
const version = 1

// Most of what is sent of a text, in characters, and of a page's alerts.
const (
	mostTitle  = 1024
	mostText   = 16 << 10
	mostAlerts = 100
)

// Payload is the body of a request.
type Payload struct {
	Version     int       `json:"version" enum:"1" doc:"rises when a field goes or changes its meaning"`
	ID          string    `json:"id" minLength:"32" maxLength:"32" doc:"the same at each try of one message, as in the header X-Signalbox-Delivery"`
	DedupKey    string    `json:"dedup_key" doc:"the same for every message about one page"`
	Kind        string    `json:"kind" enum:"page,notice,acknowledged,resolved,drill,verification,told"`
	Level       string    `json:"level,omitempty" doc:"P0 to P3; absent where there is none"`
	Title       string    `json:"title" maxLength:"1024" doc:"one line"`
	Text        string    `json:"text,omitempty" maxLength:"16384" doc:"plain text in lines"`
	To          To        `json:"to"`
	Page        *Page     `json:"page,omitempty" doc:"absent where the message is about none"`
	Acknowledge string    `json:"acknowledge,omitempty" doc:"where the recipient takes the page without logging in"`
	Links       []Link    `json:"links" nullable:"false" doc:"where to look, first things first"`
	Time        time.Time `json:"time"`
}

// To is whom it is for.
type To struct {
	Receiver string `json:"receiver"`
	Person   string `json:"person,omitempty" doc:"the name in oncall_files; absent for a team's place"`
}

// Link is a place to look at.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Page is what the message is about.
type Page struct {
	ID          string            `json:"id"`
	Status      string            `json:"status" enum:"firing,resolved"`
	Severity    string            `json:"severity"`
	Title       string            `json:"title"`
	Summary     string            `json:"summary"`
	Service     string            `json:"service,omitempty"`
	GroupLabels model.Labels      `json:"group_labels" nullable:"true"`
	Alerts      []model.PageAlert `json:"alerts" nullable:"true" maxItems:"100" doc:"the first 100"`
	Time        time.Time         `json:"time" doc:"first delivery"`
	AckedBy     string            `json:"acked_by,omitempty"`
	AckedAt     *time.Time        `json:"acked_at,omitempty"`
	ResolvedAt  *time.Time        `json:"resolved_at,omitempty"`
}

func payloadOf(m notify.Message) Payload {
	p := Payload{
		Version: version, ID: fit.ID(m), DedupKey: m.DedupKey, Kind: string(m.Kind), Level: m.Level,
		Title: fit.Runes(fit.Line(m.Title), mostTitle), Text: fit.Runes(fit.Text(m.Text), mostText),
		To: To{Receiver: m.To.Address, Person: m.To.Person}, Acknowledge: m.Acknowledge, Links: []Link{}, Time: m.Time.UTC(),
	}
	for _, l := range m.Links {
		p.Links = append(p.Links, Link(l))
	}
	if g := m.Page; g != nil {
		p.Page = &Page{
			ID: g.ID, Status: g.Status, Severity: g.Severity, Title: g.Title, Summary: g.Summary, Service: g.Service, GroupLabels: g.GroupLabels,
			Alerts: g.Alerts[:min(len(g.Alerts), mostAlerts)], Time: g.Time, AckedBy: g.AckedBy, AckedAt: g.AckedAt, ResolvedAt: g.ResolvedAt,
		}
	}
	return p
}
