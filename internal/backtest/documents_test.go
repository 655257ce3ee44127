package backtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheFilesInForceAreOfferedWithoutWhatMayBeSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	a := write("a.yaml", "kind: SLO\n")
	b := write("b.yaml", "kind: DataSource\nspec:\n  type: Prometheus\n  connectionDetails:\n    password: secret\n\n    url: x\n  after: kept\n---\n- 'connectionDetails': {token: secret}\n")
	rules := write("r.yml", "groups: []\n")
	r := newPast(t).room()
	r.deps.Files = func() Files {
		return Files{SLOs: []string{filepath.Join(dir, "*.yaml"), a}, Policies: []string{filepath.Join(dir, "none.yml")}, Rules: []string{rules}}
	}
	got, err := r.BacktestDocuments(context.Background())
	want := Set{
		SLOs: []Document{
			{Name: a, Text: "kind: SLO\n"},
			{Name: b, Text: "kind: DataSource\nspec:\n  type: Prometheus\n  connectionDetails: {}\n\n  after: kept\n---\n- connectionDetails: {}\n"},
		},
		Policies: []Document{},
		Rules:    []Document{{Name: rules, Text: "groups: []\n"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("err %v, -want +got\n%s", err, diff)
	}
}

// What may be offered must be readable: peak calendars, alert policies and
// conditions in files of their own included.
func TestEveryExampleSetCanBeReplayed(t *testing.T) {
	r := newPast(t).room()
	r.deps.Files = func() Files { return Files{SLOs: []string{"../../examples/broker/slos/*.yaml"}} }
	set, err := r.BacktestDocuments(t.Context())
	if err != nil || len(set.SLOs) == 0 {
		t.Fatal(len(set.SLOs), err)
	}
	if _, err := readSLOs(set.SLOs); err != nil {
		t.Error(err)
	}
}
