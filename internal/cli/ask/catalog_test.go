package ask_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestGapsOfTheCatalogueAreStatus1(t *testing.T) {
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"summary":"No gap in 2 services.","gaps":[],"excused":[]}`: {0, "No gap in 2 services."},
		`{"summary":"1 gap in 1 of 2 services.","gaps":[{"service":"edge","namespace":"shop","tier":1,"gap":"no_owner","text":"nobody owns edge","cure":"name its team"}],"excused":[]}`: {1, "edge (shop) - 1 no_owner nobody owns edge name its team"},
	} {
		s := clitest.Serve(t, http.StatusOK, body)
		status, out, errOut := run(t, "catalog", "gaps", "--server", s.URL)
		if text := strings.Join(strings.Fields(out), " "); status != want.status || errOut != "" || !strings.Contains(text, want.text) {
			t.Errorf("status %d, %s%s\nwant %d, %s", status, out, errOut, want.status, want.text)
		}
	}
}

func TestTheCatalogueIsShown(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"summary":"2 services.","services":[{"service":"edge","team":"web","tier":1,"kind":"service","source":"file","seen":true,"gaps":[{"gap":"no_slo"},{"gap":"no_runbook","excused":"x"}]},{"service":"stray","kind":"service","source":"telemetry","gaps":[]}],"teams":[]}`)
	status, out, _ := run(t, "catalog", "list", "--server", s.URL)
	if text := strings.Join(strings.Fields(out), " "); status != 0 || !strings.Contains(text, "edge web 1 service - file yes no_slo stray - - service - telemetry no -") {
		t.Errorf("%d %s", status, out)
	}
	s = clitest.Serve(t, http.StatusOK, `{"service":"edge","title":"Edge","team":"web","contact":{"schedule":"web-primary","chat":"#web"},"runbooks":[{"title":"Edge fails","url":"/runbooks/edge-5xx"}],
		"links":[],"depends_on":[{"service":"db","declared":true},{"service":"auth","seen":true}],"dependents":[{"service":"app","seen":true,"declared":true}],"gaps":[{"gap":"no_slo","text":"edge has no SLO","cure":"write one"}]}`)
	status, out, _ = run(t, "catalog", "show", "edge", "--namespace", "shop", "--server", s.URL)
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"schedule web-primary", "runbook Edge fails /runbooks/edge-5xx", "depends on db (declared, not seen)", "depends on auth (seen, not declared)", "needed by app (declared and seen)", "gap edge has no SLO; write one"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if status != 0 || !strings.Contains(s.Asked[0].URL, "/sb/v1/catalog/edge?namespace=shop") {
		t.Errorf("%d %s", status, s.Asked[0].URL)
	}
}
