package app

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

const evidenceConfig = `
slo_files: ["slos.yml", "shop.yml"]
policy_files: ["policies.yml"]
gate: {override_for: 1h}
`

const evidenceSLO = `
apiVersion: openslo/v1
kind: SLO
metadata: {name: edge-availability}
spec:
  service: edge
  indicator:
    metadata: {name: edge-availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'good_total'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'all_total'}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
`

// shop calls edge, and is not deployed while that does not keep its SLOs.
const evidencePolicies = `
policies:
  - name: shop
    match: {services: [shop]}
    rules: {dependencies: hold, depends_on: [edge]}
`

func evidenceFiles() map[string]string {
	return map[string]string{
		"signalbox.yml": evidenceConfig, "slos.yml": evidenceSLO, "policies.yml": evidencePolicies,
		"shop.yml": strings.NewReplacer("edge-availability", "shop-availability", "service: edge", "service: shop").Replace(evidenceSLO),
	}
}

// evidenced is a process with one record of every kind and one beside it that nobody touches.
type evidenced struct {
	*running
	decisions, corrections, pages []string
}

func kept(t *testing.T, r *running) evidenced {
	t.Helper()
	e := evidenced{running: r}
	for i := range 4 {
		status, text := r.post(t, "/sb/v1/gate", fmt.Sprintf(`{"service":"edge","environment":"prod","version":"%d","actor":"ci"}`, i))
		e.decisions = append(e.decisions, into[model.GateDecision](t, status, text).ID)
	}
	for _, id := range e.decisions[:3] {
		if status, text := r.post(t, "/sb/v1/gate/decisions/"+id+"/override", `{"actor":"ann","reason":"the release mends the outage"}`); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	for i := range 3 {
		from := time.Now().UTC().AddDate(0, 0, i-5)
		status, text := r.post(t, "/sb/v1/slos/edge-availability/corrections",
			fmt.Sprintf(`{"author":"kim","reason":"number %d","start":"%s","end":"%s"}`, i, from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339)))
		if status != http.StatusCreated {
			t.Fatal(status, text)
		}
		e.corrections = append(e.corrections, into[model.SLOCorrection](t, http.StatusOK, text).ID)
	}
	for i := range 5 {
		id := fmt.Sprint("page-", i)
		if err := r.state.SavePage(t.Context(), model.Page{ID: id, DedupKey: id, Time: time.Now(), Status: "firing", Title: id}); err != nil {
			t.Fatal(err)
		}
		if status, text := r.post(t, "/sb/v1/pages/"+id+"/ack", `{"by":"ann"}`); i > 0 && status != http.StatusOK {
			t.Fatal(status, text)
		}
		e.pages = append(e.pages, id)
	}
	return e
}

// marks are what each list says is wrong, by what it is about.
func (e evidenced) marks(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	status, text := e.get(t, "/sb/v1/gate/decisions")
	for _, d := range into[struct{ Decisions []model.GateDecision }](t, status, text).Decisions {
		out[d.ID] = d.Tampered
		if d.Override != nil {
			out["override of "+d.ID] = d.Override.Tampered
		}
	}
	status, text = e.get(t, "/sb/v1/slos/edge-availability/corrections")
	for _, c := range into[struct{ Corrections []model.SLOCorrection }](t, status, text).Corrections {
		out[c.ID] = c.Tampered
	}
	status, text = e.get(t, "/sb/v1/pages")
	for _, p := range into[struct{ Pages []model.Page }](t, status, text).Pages {
		out[p.ID] = p.Tampered
	}
	status, text = e.get(t, "/sb/v1/gate/key")
	for _, k := range append(into[gate.PublicKey](t, status, text).Former, into[gate.PublicKey](t, status, text)) {
		out["key "+k.KeyID] = k.Tampered
	}
	return out
}

func (e evidenced) verified(t *testing.T) model.AuditVerification {
	t.Helper()
	status, text := e.get(t, "/sb/v1/audit/verify")
	return into[model.AuditVerification](t, status, text)
}

func (e evidenced) edit(t *testing.T, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(e.dir, "data", "state", "state.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed nothing: %v", statement, err)
	}
}

// Whoever edits the database behind the program's back is found out, whatever kind of record it is and whether it was edited,
// deleted or put there; nothing else is marked, also after a restart.
func TestEvidenceThatWasTouchedSaysSo(t *testing.T) {
	dir := t.TempDir()
	files := evidenceFiles()
	e := kept(t, startIn(t, dir, files))
	if status, text := e.do(t, http.MethodDelete, "/sb/v1/slos/edge-availability/corrections/"+e.corrections[2], "", ""); status != http.StatusOK {
		t.Fatal(status, text) // taken back, which is no fault
	}
	untouched := func(when string) {
		t.Helper()
		for what, mark := range e.marks(t) {
			if mark != "" {
				t.Errorf("%s: %s is marked: %s", when, what, mark)
			}
		}
		if v := e.verified(t); !v.Intact || len(v.Touched) > 0 {
			t.Errorf("%s: %+v", when, v)
		}
	}
	untouched("at once")
	e.stop()
	e.running = startIn(t, dir, files)
	untouched("after a restart")

	old := time.Now().Add(-2 * time.Minute).UnixNano()
	e.edit(t, `UPDATE gate_decisions SET decision = json_set(decision, '$.verdict', 'allow') WHERE id = ?`, e.decisions[0])
	e.edit(t, `DELETE FROM gate_overrides WHERE decision_id = ?`, e.decisions[1])
	e.edit(t, `UPDATE gate_overrides SET override = json_set(override, '$.actor', 'ceo') WHERE decision_id = ?`, e.decisions[2])
	e.edit(t, `DELETE FROM gate_decisions WHERE id = ?`, e.decisions[3])
	e.edit(t, `UPDATE slo_corrections SET end_time = end_time + 86400000000000 WHERE id = ?`, e.corrections[0])
	e.edit(t, `DELETE FROM slo_corrections WHERE id = ?`, e.corrections[1])
	e.edit(t, `UPDATE pages SET acked_by = 'bob' WHERE id = 'page-1'`)
	e.edit(t, `UPDATE pages SET acked_by = '', acked_at = 0 WHERE id = 'page-2'`)
	e.edit(t, `DELETE FROM pages WHERE id = 'page-3'`)
	e.edit(t, `INSERT INTO gate_keys (id, pem, since) SELECT '00', pem, since FROM gate_keys`)
	want := map[string]string{
		e.decisions[0]:                  "differs from the one that was signed",
		"override of " + e.decisions[1]: "it was taken out of the database: entry ",
		"override of " + e.decisions[2]: "it is not what the gate signed",
		e.decisions[3]:                  "it was deleted from the database: entry ",
		e.corrections[0]:                "it was changed in the database: it is not what entry ",
		e.corrections[1]:                "it was taken out of the database: entry ",
		"page-1":                        "it was changed in the database",
		"page-2":                        "it was taken out of the database",
		"page-3":                        "it was deleted from the database",
	}
	e.compare(t, want)
	_, text := e.get(t, "/sb/v1/gate/decisions/"+e.decisions[3])
	if !strings.Contains(text, "audit log notes it on") {
		t.Errorf("a deleted decision alone: %s", text)
	}
	status, text := e.post(t, "/sb/v1/sql", `{"query":"SELECT (SELECT count(*) FROM gate_decisions WHERE tampered <> ''), (SELECT count(*) FROM pages WHERE tampered <> '')"}`)
	if status != http.StatusOK || !strings.Contains(text, "[2,3]") && !strings.Contains(text, `["2","3"]`) {
		t.Errorf("SQL: %d %s", status, text)
	}
	e.stands(t, want)
	status, text = e.post(t, "/sb/v1/gate", `{"service":"edge","environment":"prod","version":"9","actor":"ci"}`)
	if id := e.corrections[0]; status != http.StatusOK || !strings.Contains(text, "its correction "+id+" was tampered with") {
		t.Errorf("what the gate says of a correction that was touched: %d %s", status, text)
	}
	status, text = e.post(t, "/sb/v1/gate", `{"service":"shop","environment":"prod","version":"9","actor":"ci"}`)
	if id := e.corrections[0]; status != http.StatusOK || !strings.Contains(text, "shop depends on edge, whose SLO edge-availability: its correction "+id+" was tampered with") {
		t.Errorf("what the gate says of a correction of a dependency that was touched: %d %s", status, text)
	}
	e.reported(t, want, "it was deleted from the database: entry ")
	if v := e.verified(t); !v.Intact || len(v.Touched) != len(want)+1 {
		t.Errorf("%d touched: %q", len(v.Touched), v.Touched)
	}

	// A correction that somebody put there, long enough ago for its note to be due.
	e.stop()
	e.running = startIn(t, dir, files)
	e.edit(t, `DELETE FROM gate_keys WHERE id = '00'`)
	e.edit(t, `UPDATE slo_corrections SET created = ? WHERE id = ?`, old, e.corrections[0])
	want[e.corrections[1]] = "it was deleted from the database"
	e.compare(t, want)
	until(t, "the status page says so", func() bool {
		return e.contains(t, "/sb/v1/status", "records in the database are not what the audit log notes of them")
	})
}

// stands compares the corrections that are in force, as the SLO has them.
func (e evidenced) stands(t *testing.T, want map[string]string) {
	t.Helper()
	until(t, "the SLO was judged with its corrections", func() bool {
		status, text := e.get(t, "/sb/v1/slos/edge-availability")
		return len(into[model.SLOStatus](t, status, text).Corrections) == 2
	})
	status, text := e.get(t, "/sb/v1/slos")
	for _, c := range into[struct{ SLOs []model.SLOStatus }](t, status, text).SLOs[0].Corrections {
		if mark := want[c.ID]; mark == "" || !strings.HasPrefix(c.Tampered, mark) {
			t.Errorf("as it stands: %s: %q, want %q", c.ID, c.Tampered, mark)
		}
	}
}

// reported compares the corrections of a report, which are those of the list; of one that is gone it counts nothing.
func (e evidenced) reported(t *testing.T, want map[string]string, gone string) {
	t.Helper()
	status, text := e.get(t, "/sb/v1/report?period=last-7d&slo=edge-availability")
	r := into[struct {
		SLOs []struct {
			Corrections []struct {
				ID       string
				Tampered string
				Minutes  float64
			}
		} `json:"promises"`
	}](t, status, text)
	if len(r.SLOs) != 1 || len(r.SLOs[0].Corrections) != 2 {
		t.Fatalf("report: %s", text)
	}
	for _, c := range r.SLOs[0].Corrections {
		if mark := want[c.ID]; c.ID == e.corrections[1] && (!strings.HasPrefix(c.Tampered, gone) || c.Minutes != 0) ||
			c.ID == e.corrections[0] && (!strings.HasPrefix(c.Tampered, mark) || c.Minutes == 0) {
			t.Errorf("report: %+v", c)
		}
	}
}

func (e evidenced) compare(t *testing.T, want map[string]string) {
	t.Helper()
	got := e.marks(t)
	for what, mark := range got {
		if text := want[what]; (text == "") != (mark == "") || !strings.Contains(mark, text) {
			t.Errorf("%s: %q, want %q", what, mark, text)
		}
	}
	for what := range want {
		if _, ok := got[what]; !ok {
			t.Errorf("%s is not listed", what)
		}
	}
}

// A folder of a version before there were notes is no reason to suspect anybody; from then on it is watched.
func TestAnUpgradeCriesNoWolf(t *testing.T) {
	dir := t.TempDir()
	files := evidenceFiles()
	e := kept(t, startIn(t, dir, files))
	e.stop()
	if err := os.RemoveAll(filepath.Join(dir, "data", "audit")); err != nil { // what notes there were
		t.Fatal(err)
	}
	e.running = startIn(t, dir, files)
	until(t, "what is there is noted", func() bool { return e.contains(t, "/sb/v1/audit?action=evidence.begins", e.corrections[1]) })
	for what, mark := range e.marks(t) {
		if mark != "" {
			t.Errorf("%s is marked: %s", what, mark)
		}
	}
	if v := e.verified(t); len(v.Touched) > 0 {
		t.Errorf("%q", v.Touched)
	}
	e.edit(t, `UPDATE pages SET acked_by = 'bob' WHERE id = 'page-1'`)
	e.edit(t, `DELETE FROM slo_corrections WHERE id = ?`, e.corrections[1])
	if v := e.verified(t); len(v.Touched) != 2 {
		t.Errorf("%q", v.Touched)
	}
}
