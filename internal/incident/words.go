package incident

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// Status says how far an incident is.
type Status string

// The statuses. Merged is the end of one that is part of another from then on.
const (
	Open      Status = "open"      // users feel it, or may
	Mitigated Status = "mitigated" // users do not feel it any more; it is not over
	Resolved  Status = "resolved"
	Merged    Status = "merged"
)

// Live reports whether pages may still join it.
func (s Status) Live() bool { return s == Open || s == Mitigated }

// Incident is something that went wrong and what people did about it.
type Incident struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Summary     string   `json:"summary,omitempty"`
	Severity    string   `json:"severity" enum:"P0,P1,P2,P3"`
	Status      Status   `json:"status" enum:"open,mitigated,resolved,merged"`
	Environment string   `json:"environment,omitempty"`
	Region      string   `json:"region,omitempty"`
	Services    []string `json:"services"`
	Times       Times    `json:"times"`
	Roles       Roles    `json:"roles"`
	Pages       PageList `json:"pages"`
	Notes       []Note   `json:"notes" doc:"the oldest first: of people, and of Signalbox where it changed something"`
	Actions     []Task   `json:"actions" doc:"what is to be done so that it does not happen again"`
	Origin      Origin   `json:"origin"`
	Postmortem  Written  `json:"postmortem"`
}

// Times are when it did what. What has not happened is absent.
type Times struct {
	Started      time.Time  `json:"started" doc:"when it began: the earliest start of an alert in its pages, unless somebody said better (origin.started_said); when it was opened, where somebody did by hand and no page came. A rule's own waiting time lies before it"`
	Detected     time.Time  `json:"detected" doc:"the first delivery of its first page, or when somebody opened it"`
	Acknowledged *time.Time `json:"acknowledged,omitempty" doc:"the first acknowledgement of one of its pages, or the first commander"`
	Mitigated    *time.Time `json:"mitigated,omitempty" doc:"when users did not feel it any more: the end of its last page, unless somebody said better"`
	Resolved     *time.Time `json:"resolved,omitempty" doc:"when it was declared over; half an hour after the last page ended if nobody did"`
}

// Roles are who does what while it lasts.
type Roles struct {
	Commander      string `json:"commander,omitempty" maxLength:"200"`
	Scribe         string `json:"scribe,omitempty" maxLength:"200"`
	Communications string `json:"communications,omitempty" maxLength:"200"`
}

// PageList are the pages that belong to it.
type PageList struct {
	Count  int    `json:"count"`
	Firing int    `json:"firing" doc:"those that have not ended"`
	Alerts int    `json:"alerts" doc:"alerts in them, each page at its largest"`
	List   []Page `json:"list" doc:"the oldest first, up to 1000"`
}

// Page is one page as its incident knows it.
type Page struct {
	ID         string     `json:"id"`
	DedupKey   string     `json:"dedup_key"`
	Title      string     `json:"title"`
	Severity   string     `json:"severity"`
	Service    string     `json:"service,omitempty"`
	Region     string     `json:"region,omitempty"`
	Time       time.Time  `json:"time"`
	Alerts     int        `json:"alerts"`
	Names      []string   `json:"alert_names" doc:"the first of them"`
	AckedBy    string     `json:"acked_by,omitempty"`
	AckedAt    *time.Time `json:"acked_at,omitempty"`
	Ended      *time.Time `json:"ended,omitempty"`
	Why        string     `json:"why" doc:"why it belongs to this incident"`
	Namespaces []string   `json:"namespaces,omitempty" doc:"those that its alerts name"`
}

// Note is something that was said.
type Note struct {
	Time time.Time `json:"time"`
	By   string    `json:"by"`
	Kind string    `json:"kind" enum:"note,update,change" doc:"update is a status update for others; change is what was done to the incident itself"`
	Text string    `json:"text"`
}

// Task is an action item.
type Task struct {
	ID    string     `json:"id"`
	Text  string     `json:"text"`
	Term  string     `json:"term" enum:"immediate,short,long"`
	Owner string     `json:"owner,omitempty"`
	Due   *time.Time `json:"due,omitempty"`
	Link  string     `json:"link,omitempty"`
	Done  *time.Time `json:"done,omitempty"`
}

// Origin is where it comes from and what it is connected with.
type Origin struct {
	By         string   `json:"by" doc:"who opened it; signalbox where a page did"`
	Page       string   `json:"page,omitempty" doc:"the page that opened it"`
	Namespaces []string `json:"namespaces" doc:"those of its alerts and services; one without a namespace is seen by who sees all"`
	Links      []Link   `json:"links,omitempty"`
	MergedInto string   `json:"merged_into,omitempty"`
	SplitFrom  string   `json:"split_from,omitempty"`
	// People's word is not changed by what pages say.
	SeveritySaid bool `json:"severity_said,omitempty" doc:"somebody set the severity: pages do not change it any more"`
	StartedSaid  bool `json:"started_said,omitempty" doc:"somebody set when it started"`
	// StatusSaid is when somebody set the status.
	StatusSaid *time.Time `json:"status_said,omitempty" doc:"when somebody set the status: pages that ended before do not change it"`
}

// Link leads to something about it: a chat, a call, a ticket.
type Link struct {
	Href string `json:"href" maxLength:"2000"`
	Text string `json:"text,omitempty" maxLength:"200"`
}

// Written is what people wrote of a postmortem; the rest is made from evidence.
type Written struct {
	Summary    string     `json:"summary,omitempty" maxLength:"20000"`
	Impact     string     `json:"impact,omitempty" maxLength:"20000"`
	Whys       []string   `json:"whys,omitempty" maxItems:"5" doc:"five whys, each the reason of the one before"`
	RootCause  string     `json:"root_cause,omitempty" maxLength:"20000"`
	Resolution string     `json:"resolution,omitempty" maxLength:"20000"`
	Lessons    string     `json:"lessons,omitempty" maxLength:"20000"`
	Summarized *time.Time `json:"summarized_at,omitempty" readOnly:"true" doc:"when the first summary was written"`
	Published  *time.Time `json:"published_at,omitempty" readOnly:"true"`
	Reviewed   *time.Time `json:"reviewed_at,omitempty" readOnly:"true" doc:"when the review was held"`
	Version    int64      `json:"version,omitempty" readOnly:"true" doc:"how often it was written; absent while nobody has"`
	By         string     `json:"written_by,omitempty" readOnly:"true" doc:"who wrote last"`
}

// SeverityOf is the severity of an incident that a page with a severity opens: the level by which it is escalated where no file says
// otherwise.
func SeverityOf(page string) string {
	level, _ := policy.DefaultLevels().Of(model.Labels{"severity": page})
	return level.Name
}
