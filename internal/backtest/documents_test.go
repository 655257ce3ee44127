package backtest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	files "github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

func TestTheFilesInForceAreOfferedWithoutWhatMayBeSecret(t *testing.T) {
	file := func(name, text string) files.File { return files.File{Path: name, Text: []byte(text)} }
	r := newPast(t).room()
	r.deps.Files = func() Files {
		return Files{SLOs: []files.File{
			file("a.yaml", "kind: SLO\n"),
			file("b.yaml", "kind: DataSource\nspec:\n  type: Prometheus\n  connectionDetails:\n    password: secret\n\n    url: x\n  after: kept\n---\n- 'connectionDetails': {token: secret}\n"),
		}, Rules: []files.File{file("r.yml", "groups: []\n")}}
	}
	got, err := r.BacktestDocuments(context.Background())
	want := Set{
		SLOs: []Document{
			{Name: "a.yaml", Text: "kind: SLO\n"},
			{Name: "b.yaml", Text: "kind: DataSource\nspec:\n  type: Prometheus\n  connectionDetails: {}\n\n  after: kept\n---\n- connectionDetails: {}\n"},
		},
		Policies: []Document{},
		Rules:    []Document{{Name: "r.yml", Text: "groups: []\n"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("err %v, -want +got\n%s", err, diff)
	}
}

// What may be offered must be readable: peak calendars, alert policies and
// conditions in files of their own included.
func TestEveryExampleSetCanBeReplayed(t *testing.T) {
	r := newPast(t).room()
	files, problems := openslo.Files().Load([]string{"../../examples/broker/slos/*.yaml"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r.deps.Files = func() Files { return Files{SLOs: files} }
	set, err := r.BacktestDocuments(t.Context())
	if err != nil || len(set.SLOs) == 0 {
		t.Fatal(len(set.SLOs), err)
	}
	if _, err := readSLOs(set.SLOs); err != nil {
		t.Error(err)
	}
}
