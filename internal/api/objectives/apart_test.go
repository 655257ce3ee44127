package objectives

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/store"
)

// rooms hold an SLO of each of two namespaces and one of none, and count what is asked of the corrector.
type rooms struct{ changed, reported []string }

func (*rooms) SLOs(context.Context, string) (out []model.SLOStatus, summary string, err error) {
	for _, n := range []string{"pay", "trade", ""} {
		out = append(out, model.SLOStatus{Name: "of-" + n, Labels: map[string]string{"namespace": n}})
	}
	return out, "3 SLOs", nil
}

func (r *rooms) SLO(ctx context.Context, name string) (model.SLOStatus, error) {
	list, _, _ := r.SLOs(ctx, "")
	if i := slices.IndexFunc(list, func(s model.SLOStatus) bool { return s.Name == name }); i >= 0 {
		return list[i], nil
	}
	return model.SLOStatus{}, fmt.Errorf("SLO %s: %w; did you mean of-trade?", name, store.ErrNotFound)
}

func (*rooms) SLOHistory(_ context.Context, name string, _, _ time.Time, _ time.Duration) (model.SLOHistory, error) {
	return model.SLOHistory{Name: name, Points: []model.SLOHistoryPoint{}}, nil
}

func (*rooms) Corrections(context.Context, string) ([]model.SLOCorrection, error) {
	return []model.SLOCorrection{}, nil
}

func (r *rooms) Correct(_ context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	r.changed = append(r.changed, c.SLO)
	return c, nil
}

func (r *rooms) Uncorrect(_ context.Context, slo, _ string) error {
	r.changed = append(r.changed, slo)
	return nil
}

func (*rooms) StartBacktest(context.Context, backtest.Request) (backtest.Job, error) {
	return backtest.Job{}, nil
}

func (*rooms) BacktestDocuments(context.Context) (backtest.Set, error) { return backtest.Set{}, nil }

func (*rooms) Backtest(context.Context, string) (backtest.Job, error) { return backtest.Job{}, nil }

func (*rooms) CancelBacktest(context.Context, string) (backtest.Job, error) {
	return backtest.Job{}, nil
}

func (r *rooms) Report(_ context.Context, req paper.Request) (paper.Report, error) {
	r.reported = req.Namespaces
	return paper.Report{}, nil
}
func (*rooms) ReportFile(paper.Report, string) (paper.File, error) { return paper.File{}, nil }

func TestSLOsOfOtherNamespacesDoNotExist(t *testing.T) {
	r := &rooms{}
	mux := http.NewServeMux()
	cfg := huma.DefaultConfig("t", "1")
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return huma.DefaultSchemaNamer(t, hint) + strings.NewReplacer("/", "_", ".", "_").Replace(t.PkgPath())
	})
	reg := operation.New(operation.Config{API: humago.New(mux, cfg), Logger: instrument.Silent(), Now: time.Now, MaxBody: 1 << 20})
	Register(reg, Deps{SLOs: r, Corrections: r, Backtests: r, Reports: r})
	ask := func(method, path, body string, bound ...string) (int, string) {
		req := httptest.NewRequest(method, operation.Root+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		a := &access.Access{Scope: access.Scope{All: len(bound) == 0, Names: bound}}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, req.WithContext(access.With(req.Context(), a)))
		return w.Code, w.Body.String()
	}
	for _, c := range []struct {
		bound, want []string
	}{{nil, []string{"of-pay", "of-trade", "of-"}}, {[]string{"pay"}, []string{"of-pay"}}, {[]string{"pay", "trade"}, []string{"of-pay", "of-trade"}}, {[]string{"x"}, nil}} {
		var got SLOsResponse
		code, text := ask("GET", "/slos", "", c.bound...)
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != 200 {
			t.Fatal(code, text)
		}
		var names []string
		for _, s := range got.SLOs {
			names = append(names, s.Name)
		}
		if !slices.Equal(names, c.want) || len(c.bound) > 0 && got.Summary == "3 SLOs" {
			t.Errorf("%v: %v, %s", c.bound, names, got.Summary)
		}
	}
	correction := `{"author":"a","reason":"r","kind":"maintenance","start":"2026-01-01T00:00:00Z","end":"2026-01-01T01:00:00Z"}`
	for _, e := range []struct{ method, path, body string }{
		{"GET", "/slos/%s", ""},
		{"GET", "/slos/%s/history", ""},
		{"GET", "/slos/%s/corrections", ""},
		{"POST", "/slos/%s/corrections", correction},
		{"DELETE", "/slos/%s/corrections/c1", ""},
		{"GET", "/report?slo=%s", ""},
	} {
		at := func(name string) string { return fmt.Sprintf(e.path, name) }
		foreign, said := ask(e.method, at("of-trade"), e.body, "pay")
		none, saidNone := ask(e.method, at("of-nobody"), e.body, "pay")
		if foreign != 404 || none != 404 || strings.ReplaceAll(said, "of-trade", "X") != strings.ReplaceAll(saidNone, "of-nobody", "X") {
			t.Errorf("%s %s: %d %s, and what does not exist: %d %s", e.method, e.path, foreign, said, none, saidNone)
		}
		if code, text := ask(e.method, at("of-"), e.body, "pay"); code != 404 {
			t.Errorf("%s %s of no namespace: %d %s", e.method, e.path, code, text)
		}
	}
	if len(r.changed) != 0 {
		t.Errorf("corrected %v", r.changed)
	}
	for _, path := range []string{"/slos/of-pay", "/slos/of-pay/corrections", "/report?slo=of-pay", "/report"} {
		if code, text := ask("GET", path, "", "pay"); code != 200 {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if !slices.Equal(r.reported, []string{"pay"}) {
		t.Errorf("the report is of %v", r.reported)
	}
	if code, text := ask("POST", "/slos/of-pay/corrections", correction, "pay"); code != 201 || len(r.changed) != 1 {
		t.Errorf("one's own: %d %s", code, text)
	}
	for _, e := range [][3]string{
		{"POST", "/backtest", "{}"}, {"GET", "/backtest/documents"}, {"GET", "/backtest/b1"}, {"DELETE", "/backtest/b1"}, {"GET", "/report?audience=internal"},
	} {
		if code, text := ask(e[0], e[1], e[2], "pay"); code != 403 {
			t.Errorf("%s: %d %s", e[1], code, text)
		}
	}
}

// A composite of one's own shows which part is another team's, and nothing else of it.
func TestPartsOfOthersAreHidden(t *testing.T) {
	all := []model.SLOStatus{
		{Name: "whole", Indicator: "mean of mine, zebra", Labels: map[string]string{"namespace": "pay"}, Parts: []model.SLOPart{{Name: "mine", Weight: .5, Objective: .9}, {Name: "zebra", Weight: .25, Objective: .99}, {Name: "none", Weight: .25}}},
		{Name: "mine", Labels: map[string]string{"namespace": "pay"}, PartOf: "whole"},
		{Name: "zebra", Labels: map[string]string{"namespace": "trade"}, PartOf: "whole"},
		{Name: "none"},
	}
	ctx := access.With(t.Context(), &access.Access{Scope: access.Scope{Names: []string{"pay"}}})
	got, _ := visibleOf(ctx, all, "")
	want := []model.SLOPart{{Name: "mine", Weight: .5, Objective: .9}, {Name: "hidden: team trade"}, {Name: "hidden"}}
	if got[0].Indicator != "weighted mean of burn rates" {
		t.Error(got[0].Indicator)
	}
	if len(got) != 2 || !reflect.DeepEqual(got[0].Parts, want) || got[1].PartOf != "whole" || all[0].Parts[1].Name != "zebra" {
		t.Errorf("%+v", got)
	}
	trade := access.With(t.Context(), &access.Access{Scope: access.Scope{Names: []string{"trade"}}})
	if got, _ := visibleOf(trade, all, ""); len(got) != 1 || got[0].PartOf != "hidden: team pay" {
		t.Errorf("%+v", got)
	}
}
