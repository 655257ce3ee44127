package mcp

import "net/http"

type atArgs struct {
	At string `json:"at,omitempty" jsonschema:"a time such as 2026-03-01T22:00:00Z or now+8h; now if absent"`
}

type coverageArgs struct {
	Schedule string `json:"schedule,omitempty" jsonschema:"one schedule; all if absent"`
	Days     int    `json:"days,omitempty" jsonschema:"how many days from now; 14 if absent"`
}

type pagesArgs struct {
	Status string `json:"status,omitempty" jsonschema:"firing or resolved; both if absent"`
	Limit  int    `json:"limit,omitempty" jsonschema:"how many at most; 20 if absent"`
}

type explainArgs struct {
	Alert  string `json:"alert,omitempty" jsonschema:"name or fingerprint of an alert that there is or was"`
	Labels string `json:"labels,omitempty" jsonschema:"instead: labels of an alert that need not exist, such as service=edge,severity=critical"`
}

type idArgs struct {
	ID string `json:"id" jsonschema:"as a list answered it"`
}

type incidentsArgs struct {
	Status   string `json:"status,omitempty" jsonschema:"open, mitigated, resolved or merged; all if absent"`
	Service  string `json:"service,omitempty" jsonschema:"those that concern this service"`
	Severity string `json:"severity,omitempty" jsonschema:"P0, P1, P2 or P3"`
	Text     string `json:"text,omitempty" jsonschema:"words that all stand somewhere in the incident"`
	Start    string `json:"start,omitempty" jsonschema:"those since then, such as now-30d"`
	Limit    int    `json:"limit,omitempty" jsonschema:"how many at most; 20 if absent"`
}

type runbooksArgs struct {
	Alert   string `json:"alert,omitempty" jsonschema:"name of an alert"`
	Service string `json:"service,omitempty" jsonschema:"name of a service"`
}

type nameArgs struct {
	Name string `json:"name" jsonschema:"as a list answered it"`
}

// people adds the tools about who is paged and what is done about it.
func (t tools) people() {
	add(t, about{name: "who_is_on_call", title: "Who is on call", text: "Who is on call by each schedule, now or at another time, and until when."},
		func(a atArgs) (Question, error) { return get("/sb/v1/oncall", "at", a.At) })
	add(t, about{name: "on_call_coverage", title: "Gaps in on-call", text: "Whether somebody is on call in every moment of the days to come, and whether every severity reaches a verified contact.", narrower: "name one schedule, or fewer days"},
		func(a coverageArgs) (Question, error) {
			return get("/sb/v1/oncall/coverage", "schedule", a.Schedule, "days", number(a.Days, 14))
		})
	add(t, about{name: "list_pages", title: "Pages", text: "Who was paged, when, by which alerts, and who acknowledged. The newest first.", narrower: "give a smaller limit"},
		func(a pagesArgs) (Question, error) {
			return get("/sb/v1/pages", "status", a.Status, "limit", number(a.Limit, 20))
		})
	add(t, about{name: "page_escalation", title: "Escalation of a page", text: "Whom a page went to, step by step, by which channel, with receipts, and who is next."},
		func(a idArgs) (Question, error) { return get(below("/sb/v1/pages", a.ID, "/escalation")) })
	add(t, about{name: "explain_alert", title: "Why was (or wasn't) somebody paged", text: "The whole way of an alert: rule, state, group, inhibition, silence, route, policy, person, channel, receipt. With labels instead of an alert: who would be paged.", narrower: "name the alert by its fingerprint"},
		func(a explainArgs) (Question, error) {
			switch {
			case (a.Alert == "") == (a.Labels == ""):
				return Question{}, errOneOf
			case a.Alert != "":
				return get(below("/sb/v1/explain", a.Alert, ""))
			}
			return get("/sb/v1/explain", "labels", a.Labels)
		})
	add(t, about{name: "list_incidents", title: "Incidents", text: "Incidents, the newest first, by status, service, severity or words. Also for finding earlier ones that were alike.", narrower: "give a smaller limit, a service or a status"},
		func(a incidentsArgs) (Question, error) {
			return get("/sb/v1/incidents", "status", a.Status, "service", a.Service, "severity", a.Severity, "q", a.Text, "start", a.Start, "limit", number(a.Limit, 20))
		})
	add(t, about{name: "get_incident", title: "One incident", text: "One incident: severity, status, roles, services, pages, times, notes, action items."},
		func(a idArgs) (Question, error) { return get(below("/sb/v1/incidents", a.ID, "")) })
	add(t, about{name: "incident_timeline", title: "Timeline of an incident", text: "What happened around an incident: alerts, deployments, gate decisions, silences, actions, notes, each with its source.", narrower: "read get_incident, or search logs and deployments of a shorter time yourself"},
		func(a idArgs) (Question, error) { return get(below("/sb/v1/incidents", a.ID, "/timeline")) })
	add(t, about{name: "incident_postmortem", title: "Postmortem of an incident", text: "The postmortem of an incident as far as it is written, with the evidence for each line.", narrower: "read get_incident and incident_timeline instead"},
		func(a idArgs) (Question, error) { return get(below("/sb/v1/incidents", a.ID, "/postmortem")) })
	add(t, about{name: "find_runbooks", title: "Runbooks", text: "Which runbooks there are for an alert or a service.", narrower: "name an alert or a service"},
		func(a runbooksArgs) (Question, error) {
			return get("/sb/v1/runbooks", "alert", a.Alert, "service", a.Service)
		})
	add(t, about{name: "get_runbook", title: "One runbook", text: "One runbook: symptoms, cause, steps, verification, prevention."},
		func(a nameArgs) (Question, error) { return get(below("/sb/v1/runbooks", a.Name, "")) })
}

type ackArgs struct {
	ID string `json:"id" jsonschema:"of the page"`
	By string `json:"by,omitempty" jsonschema:"who acknowledges, where nobody has to log in"`
}

type noteArgs struct {
	ID   string `json:"id" jsonschema:"of the incident"`
	Text string `json:"text" jsonschema:"what to note"`
	By   string `json:"by,omitempty" jsonschema:"who notes it, where nobody has to log in"`
}

type gateArgs struct {
	Service     string `json:"service" jsonschema:"what is to be deployed"`
	Environment string `json:"environment" jsonschema:"where to"`
	Version     string `json:"version" jsonschema:"which version"`
	Critical    bool   `json:"critical,omitempty" jsonschema:"whether it mends what is broken"`
}

// writes adds the tools that leave something behind.
func (t tools) writes() {
	add(t, about{name: "acknowledge_page", title: "Acknowledge a page", text: "Acknowledge a page, which stops its escalation. Only when a person said so.", changes: true},
		func(a ackArgs) (Question, error) {
			return post(below("/sb/v1/pages", a.ID, "/ack"), map[string]any{"by": orAgent(a.By)})
		})
	add(t, about{name: "add_incident_note", title: "Note something in an incident", text: "Add a note to an incident's timeline, for the people who work on it.", changes: true},
		func(a noteArgs) (Question, error) {
			return post(below("/sb/v1/incidents", a.ID, "/notes"), map[string]any{"text": a.Text, "kind": "note", "by": orAgent(a.By)})
		})
	add(t, about{name: "check_gate", title: "Ask the gate", text: "May this version be deployed? Answers allow, hold, block or insufficient with the evidence, and leaves a signed decision on record.", changes: true},
		func(a gateArgs) (Question, error) {
			return Question{Method: http.MethodPost, Path: "/sb/v1/gate", Body: map[string]any{"service": a.Service, "environment": a.Environment, "version": a.Version, "critical": a.Critical}}, nil
		})
}

// orAgent names who acts where nobody has to log in; whoever is logged in is named by their login.
func orAgent(by string) string {
	if by == "" {
		return "an agent (MCP)"
	}
	return by
}
