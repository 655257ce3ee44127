package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
)

const escalated = `
people:
  - {name: ada, contacts: [{channel: sms, address: "+491511111111"}, {channel: inbox, address: ada}]}
schedules: [{name: edge, layers: [{start: 2020-01-06, people: [ada]}]}]
escalation_policies:
  - {name: platform, default: true, steps: [{notify: [{schedule: edge}]}, {after: 20m, notify: [{person: ada}]}], unresolved: 30m}
`

// An alert becomes a page, the page goes to whom is on call by what is set up, and each view says so: the page's, the explanation, the command's.
func TestAPageGoesToWhomIsOnCall(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "oncall_files: [oncall.yml]\n", "oncall.yml": escalated})
	if status, text := r.do(t, "POST", "/api/v2/alerts", "application/json", `[{"labels":{"alertname":"Down","severity":"critical","service":"edge"}}]`); status != 200 {
		t.Fatal(status, text)
	}
	id := r.awaitPage(t)
	v := r.awaitEscalation(t, "/sb/v1/pages/"+id+"/escalation", func(v escalation.View) bool {
		return len(v.Steps) == 2 && len(v.Steps[0].Attempts) == 2 && v.Steps[0].Attempts[1].State == "delivered"
	})
	first := v.Steps[0]
	if v.State != escalation.Paging || v.Level != "P0" || v.Policy != "platform" || first.Attempts[0].State != "failed" || first.Attempts[1].Channel != "inbox" || v.Steps[1].State != "next" {
		t.Errorf("%+v", v)
	}
	for path, wants := range map[string][]string{
		"/sb/v1/explain/" + id:                                   {`"policy":"platform"`, "ada by inbox"},
		"/sb/v1/explain?labels=service=edge,severity=high":       {`"level":"P1"`, "First ada would be paged."},
		"/sb/v1/explain?labels=severity=critical,class=resource": {`"level":"P3"`, "never more urgent"},
		"/sb/v1/oncall/policies":                                 {`"name":"platform"`, `"name":"engineer-lead-cto"`},
		"/sb/v1/oncall/contacts":                                 {`"contact":"sms"`, `"usable":false`},
		"/sb/v1/oncall/coverage":                                 {`"covered":false`, "ada has no verified contact"},
		"/sb/v1/oncall/coverage?schedule=edge":                   {`"covered":true`},
		"/sb/v1/pages/" + id + "/escalation":                     {"on call by edge"},
	} {
		_, text := r.get(t, path)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", path, want, text)
			}
		}
		if strings.Contains(text, "+4915") {
			t.Errorf("%s tells a number:\n%s", path, text)
		}
	}
	for path, want := range map[string]int{"/sb/v1/explain?labels=edge": 400, "/sb/v1/explain": 400, "/sb/v1/pages/none/escalation": 404, "/sb/v1/oncall/drills/" + id: 404} {
		if status, text := r.get(t, path); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text := r.do(t, "POST", "/sb/v1/pages/"+id+"/ack", "application/json", `{"by":"ada"}`); status != 200 {
		t.Fatal(status, text)
	}
	r.awaitEscalation(t, "/sb/v1/pages/"+id+"/escalation", func(v escalation.View) bool { return v.State == escalation.Acknowledged })
	r.drills(t)
}

// A drill reaches everybody of the chain at once, is no page, and can be acknowledged.
func (r *running) drills(t *testing.T) {
	t.Helper()
	status, text := r.do(t, "POST", "/sb/v1/oncall/drills", "application/json", `{"policy":"platform","by":"kim"}`)
	var sent struct{ ID string }
	if err := json.Unmarshal([]byte(text), &sent); err != nil || status != 201 {
		t.Fatal(status, text, err)
	}
	v := r.awaitEscalation(t, "/sb/v1/oncall/drills/"+sent.ID, func(v escalation.View) bool {
		return len(v.Steps) == 2 && len(v.Steps[1].Attempts) == 2 && v.Steps[1].Attempts[1].State == "delivered"
	})
	if v.State != escalation.Paging || v.Steps[0].Attempts[0].Kind != "drill" {
		t.Errorf("%+v", v)
	}
	if _, text := r.get(t, "/sb/v1/pages"); strings.Contains(text, sent.ID) {
		t.Error("a drill stands in the inbox")
	}
	if status, text := r.do(t, "POST", "/sb/v1/oncall/drills/"+sent.ID+"/ack", "application/json", `{"by":"ada"}`); status != 200 {
		t.Error(status, text)
	}
	r.awaitEscalation(t, "/sb/v1/oncall/drills/"+sent.ID, func(v escalation.View) bool { return v.State == escalation.Resolved })
	if _, text := r.get(t, "/sb/v1/audit?action=page.ack"); !strings.Contains(text, `"how":"api"`) {
		t.Error(text)
	}
	if status, text := r.do(t, "POST", "/sb/v1/oncall/contacts/verify", "application/json", `{"person":"ada","contact":"pager"}`); status != 404 {
		t.Error(status, text)
	}
}

func (r *running) awaitPage(t *testing.T) (id string) {
	t.Helper()
	until(t, "a page", func() bool {
		var got struct{ Pages []model.Page }
		_, text := r.get(t, "/sb/v1/pages")
		if err := json.Unmarshal([]byte(text), &got); err == nil && len(got.Pages) > 0 {
			id = got.Pages[0].ID
		}
		return id != ""
	})
	return id
}

func (r *running) awaitEscalation(t *testing.T, path string, done func(escalation.View) bool) (v escalation.View) {
	t.Helper()
	until(t, path, func() bool {
		v = escalation.View{}
		_, text := r.get(t, path)
		return json.Unmarshal([]byte(text), &v) == nil && done(v)
	})
	return v
}
