package common

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

func valueComparer() cmp.Option {
	return cmp.Comparer(func(a, b model.Value) bool { return a == b })
}

var anybody = Sender{Scope: access.Scope{All: true}}

func str(key, value string) model.Attr { return model.Attr{Key: key, Value: model.StringValue(value)} }

func TestResourceIdentity(t *testing.T) {
	res := pcommon.NewResource()
	for _, kv := range [][2]string{{"service", "short"}, {"service.name", "long"}, {"env", "prod"}, {"deployment.environment", "old"}, {"region", "eu"}, {"tenant", "acme"}, {"x", "y"}} {
		res.Attributes().PutStr(kv[0], kv[1])
	}
	got, err := ResourceOf(res, anybody)
	want := &model.Resource{Tenant: "acme", Service: "long", Env: "old", Region: "eu", Attrs: model.Attrs{str("x", "y"), str("service", "short"), str("env", "prod")}}
	if diff := cmp.Diff(want, got, valueComparer()); diff != "" || err != nil {
		t.Error(diff, err)
	}
	res = pcommon.NewResource()
	res.Attributes().PutInt("service.version", 3)
	res.Attributes().PutBool("service.name", true)
	if got, _ := ResourceOf(res, anybody); got.Version != "3" || got.Service != "true" || len(got.Attrs) != 0 {
		t.Errorf("an identity in numbers: %+v", got)
	}
	res = pcommon.NewResource()
	res.Attributes().PutStr("tenant", "acme")
	got, err = ResourceOf(res, Sender{Tenant: "house", Scope: anybody.Scope})
	if err != nil || got.Tenant != "house" || len(got.Attrs) != 1 || got.Attrs[0] != str("tenant", "acme") {
		t.Errorf("the tenant that the header hides: %+v %v", got, err)
	}
	if got, err := ResourceOf(pcommon.NewResource(), anybody); err != nil || got.Service != "unknown_service" || got.Tenant != "default" {
		t.Errorf("an empty resource = %+v %v", got, err)
	}
	for tenant, ok := range map[string]bool{"a-b_1.*'()!": true, "a/b": false, ".": false, "..": false, string(make([]byte, 151)): false, "ä": false} {
		if err := CheckTenant(tenant); (err == nil) != ok {
			t.Errorf("tenant %q: %v", tenant, err)
		}
	}
}

// Where a resource names no namespace itself, Kubernetes' is its own; what it names wins, under the convention's name or the short one.
func TestTheNamespaceOfKubernetesCounts(t *testing.T) {
	pay := access.Scope{Names: []string{"pay"}}
	for _, c := range []struct {
		name    string
		attrs   [][2]string
		scope   access.Scope
		want    string
		refused bool
	}{
		{"of Kubernetes alone", [][2]string{{"k8s.namespace.name", "pay"}}, anybody.Scope, "pay", false},
		{"its own wins", [][2]string{{"k8s.namespace.name", "kube"}, {"service.namespace", "pay"}}, anybody.Scope, "pay", false},
		{"the short name wins", [][2]string{{"namespace", "pay"}, {"k8s.namespace.name", "kube"}}, anybody.Scope, "pay", false},
		{"none", nil, anybody.Scope, "", false},
		{"another's is refused to who is bound", [][2]string{{"k8s.namespace.name", "trade"}}, pay, "", true},
		{"one's own is taken", [][2]string{{"k8s.namespace.name", "pay"}}, pay, "pay", false},
	} {
		res := pcommon.NewResource()
		for _, kv := range c.attrs {
			res.Attributes().PutStr(kv[0], kv[1])
		}
		got, refusal := ResourceOf(res, Sender{Scope: c.scope})
		if (refusal != nil) != c.refused || got != nil && got.Namespace != c.want {
			t.Errorf("%s: %+v %+v", c.name, got, refusal)
		}
	}
}

// OTLP forbids a key that stands twice; where it does, the last value counts, for who searches and for who asks SQL.
func TestAKeyThatStandsTwiceHasItsLastValue(t *testing.T) {
	const text = `{"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":{"stringValue":"1"}},{"key":"other","value":{"intValue":"5"}},
		{"key":"k","value":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"intValue":"2"}},{"key":"a","value":{"intValue":"3"}}]}}}]}}]}`
	var reader plog.JSONUnmarshaler
	logs, err := reader.UnmarshalLogs([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	res := logs.ResourceLogs().At(0).Resource()
	const want = `{"k":{"b":2,"a":3},"other":5}`
	for name, attrs := range map[string]model.Attrs{
		"of a resource":         resourceAttrs(t, res),
		"of anything else":      AppendAttrs(nil, res.Attributes()),
		"after another's":       AppendAttrs(model.Attrs{str("k", "0")}, res.Attributes())[1:],
		"as only JSON keeps it": append(model.Attrs{str("k", "0"), str("other", "0")}, AppendAttrs(nil, res.Attributes())...),
	} {
		if got, err := attrs.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%s: %s %v, want %s", name, got, err, want)
		}
		if got := attrs.Distinct(); len(got) != 2 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func resourceAttrs(t *testing.T, res pcommon.Resource) model.Attrs {
	t.Helper()
	r, refused := ResourceOf(res, anybody)
	if refused != nil {
		t.Fatal(refused)
	}
	return r.Attrs
}
