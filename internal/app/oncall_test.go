package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// Schedules come by the files that the configuration names, change with a reload, and are asked for and changed over HTTP.
func TestSchedulesAreAskedAndChanged(t *testing.T) {
	const people = "people: [{name: ada, shown: Ada}, {name: kim}]\n"
	r := start(t, map[string]string{
		"signalbox.yml": "oncall_files: [oncall/*.yml]\n",
		"oncall/a.yml":  people + "schedules: [{name: edge, layers: [{start: 2020-01-06, people: [ada]}]}]\n",
	})
	if _, text := r.get(t, "/sb/v1/oncall"); !strings.Contains(text, `"shown":"Ada"`) || !strings.Contains(text, "Every schedule has somebody on call (1).") {
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/oncall/coverage?days=400"); !strings.Contains(text, `"covered":true`) {
		t.Error(text)
	}
	body := `{"overrides":[{"schedule":"edge","person":"kim","start":"2100-01-01T00:00:00Z","end":"2100-01-02T00:00:00Z","by":"ada"}]}`
	resp, err := http.Post(r.Addresses().Web+"/sb/v1/oncall/overrides", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Error(resp.Status)
	}
	if _, text := r.get(t, "/sb/v1/oncall/schedules/edge/shifts?start=2099-12-31T12:00:00Z&days=1"); !strings.Contains(text, `"name":"kim"`) || !strings.Contains(text, `"override":"edge:`) {
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/audit?action=oncall.override"); !strings.Contains(text, `"actor":"ada"`) || !strings.Contains(text, `"person":"kim"`) {
		t.Error(text)
	}
	if status, text := r.get(t, "/sb/v1/oncall/schedules/edgy/shifts"); status != http.StatusNotFound || !strings.Contains(text, `did you mean`) {
		t.Errorf("%d %s", status, text)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "oncall", "a.yml"), []byte(people+"schedules: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if resp, err = http.Post(r.Addresses().Web+"/-/reload", "", nil); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, text := r.get(t, "/sb/v1/oncall/coverage"); !strings.Contains(text, `"covered":false`) || !strings.Contains(text, "oncall_files") {
		t.Error(text)
	}
}

// A calendar program shows its token in the address, there alone, and one that opens nothing else.
func TestACalendarProgramIsLetInByItsAddress(t *testing.T) {
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "oncall_files: [a.yml]\n",
		"a.yml":         "people: [{name: ada}, {name: kim}]\nschedules: [{name: edge, layers: [{start: 2020-01-06, every: 1w, people: [ada, kim]}]}]\n",
	})
	token, viewer := g.token(t, policy.Calendar), g.token(t, policy.Viewer)
	const feed = "/sb/v1/oncall/calendar.ics"
	for _, c := range []struct {
		path   string
		status int
		text   string
		header []string
	}{
		{feed + "?schedule=edge&token=" + token, 200, "On call: edge – ada", nil},
		{feed + "?person=kim&token=" + token, 200, "On call: edge – kim", nil},
		{feed + "?schedule=edge", 200, "BEGIN:VCALENDAR", []string{"Authorization", "Bearer " + viewer}},
		{feed + "?schedule=edge", 401, "", nil},
		{feed + "?token=" + token, 400, "one of schedule and person", nil},
		{feed + "?schedule=edgy&token=" + token, 404, "did you mean", nil},
		{feed + "?person=adda&token=" + token, 400, "did you mean", nil},
		{feed + "?schedule=edge&token=" + viewer, 400, "must not stand in a URL", nil},
		{feed + "?schedule=edge&token=" + token, 400, "must not stand in a URL", []string{"Authorization", "Bearer " + token}},
		{feed + "?schedule=edge&token=" + token + "&token=" + token, 400, "must not stand in a URL", nil},
		{feed + "?schedule=edge&token=" + token[:len(token)-1], 401, "", nil},
		{"/sb/v1/oncall?token=" + token, 400, "must not stand in a URL", nil},
		{"/sb/v1/oncall", 200, "edge", []string{"Authorization", "Bearer " + token}},
		{"/sb/v1/pages", 403, "", []string{"Authorization", "Bearer " + token}},
	} {
		if got := g.ask(t, "GET", c.path, "", c.header...); got.status != c.status || !strings.Contains(got.text, c.text) {
			t.Errorf("%s: %d %s", strings.NewReplacer(token, "TOKEN", viewer, "VIEWER").Replace(c.path), got.status, got.text)
		}
	}
}
