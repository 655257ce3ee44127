package promql

import (
	"context"
	"testing"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	masking "github.com/signalbox-project/signalbox/internal/mask"
)

// oneExemplar is a storage that has one.
type oneExemplar struct {
	Storage
	kept []exemplar.Exemplar
}

func (o oneExemplar) ExemplarQuerier(context.Context) (storage.ExemplarQuerier, error) { return o, nil }

func (o oneExemplar) Select(int64, int64, ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	return []exemplar.QueryResult{{SeriesLabels: labels.FromStrings("namespace", "pay"), Exemplars: o.kept}}, nil
}

func TestLabelsOfExemplarsAreMasked(t *testing.T) {
	rules, err := masking.New(masking.Config{Rules: []masking.Rule{{Name: "mail", Fields: []string{"user.email"}, LiftedBy: access.UnmaskedRead, Replace: masking.ReplaceFixed}}}, masking.Key{})
	if err != nil {
		t.Fatal(err)
	}
	kept := []exemplar.Exemplar{{Labels: labels.FromStrings("trace_id", "1", "user_email", "a@b.de")}}
	a := Shown(oneExemplar{kept: kept}, func() *masking.Rules { return rules })
	for want, who := range map[string]*access.Access{
		`{trace_id="1", user_email="[masked: mail]"}`: {Scope: access.Scope{All: true}},
		`{trace_id="1", user_email="a@b.de"}`:         {Scope: access.Scope{All: true}, Of: func(access.Permission) access.Scope { return access.Scope{Names: []string{"pay"}} }},
	} {
		q, err := a.ExemplarQuerier(access.With(t.Context(), who))
		if err != nil {
			t.Fatal(err)
		}
		found, err := q.Select(0, 1, []*labels.Matcher{})
		if err != nil || found[0].Exemplars[0].Labels.String() != want {
			t.Errorf("%v %v, want %s", found, err, want)
		}
	}
	if kept[0].Labels.Get("user_email") != "a@b.de" {
		t.Error("what is stored has changed")
	}
}
