package common

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"

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
