package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
