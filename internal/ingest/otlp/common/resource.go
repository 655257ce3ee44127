package common

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// UnknownService is what OpenTelemetry's resource conventions call a service
// that does not name itself.
const UnknownService = "unknown_service"

// kubernetesNamespace says to which namespace a resource belongs that names none itself. It stays an attribute.
const kubernetesNamespace = "k8s.namespace.name"

// TenantAttribute names the tenant of a resource when the request has no header.
const TenantAttribute = "tenant"

// Sender is where what comes in a request may go.
type Sender struct {
	Tenant string       // of the request's header; unless empty it wins over the resource's own
	Scope  access.Scope // the namespaces that the sender may write to
}

// Key tells senders apart that may not be taken for one another.
func (s Sender) Key() string { return s.Tenant + s.Scope.Key() }

// ResourceOf converts a resource; nil and a Refusal, of no records yet, where it names an impossible tenant, or a namespace that the
// sender may not write to.
func ResourceOf(res pcommon.Resource, from Sender) (*model.Resource, *stream.Refusal) {
	out := &model.Resource{}
	short := 0
	for key, v := range res.Attributes().All() {
		if strings.Contains(key, ".") && scalar(v) && out.SetIdentity(key, v.AsString()) {
			continue
		}
		if isShortIdentity(key) && scalar(v) {
			short++
		} else {
			out.Attrs = append(out.Attrs, model.Attr{Key: key, Value: ValueOf(v)})
		}
	}
	if short > 0 {
		setShortIdentity(out, res.Attributes())
	}
	out.Attrs = out.Attrs.Distinct()
	if out.Service == "" {
		out.Service = UnknownService
	}
	if out.Namespace == "" {
		if v, ok := res.Attributes().Get(kubernetesNamespace); ok && scalar(v) {
			out.Namespace = v.AsString()
		}
	}
	if from.Tenant != "" {
		if out.Tenant != "" && out.Tenant != from.Tenant { // what it means by a tenant is still searched for
			out.Attrs = append(out.Attrs, model.Attr{Key: TenantAttribute, Value: model.StringValue(out.Tenant)})
		}
		out.Tenant = from.Tenant
	}
	if out.Tenant == "" {
		out.Tenant = model.DefaultTenant
	}
	if err := CheckTenant(out.Tenant); err != nil {
		return nil, &stream.Refusal{Reason: ReasonTenant, Message: err.Error()}
	}
	said := out.Namespace
	namespace, ok := from.Scope.Place(said)
	if !ok {
		return nil, &stream.Refusal{Reason: access.ReasonNamespace, Message: from.Scope.RefusedSending(said) + "; set the resource attribute service.namespace (or k8s.namespace.name) to one of these"}
	}
	out.Namespace = namespace
	return out, nil
}

// scalar says of a value that its text says the same: a service.version of 3 is "3".
func scalar(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
		return true
	}
	return false
}

func isShortIdentity(key string) bool {
	switch key {
	case "service", "namespace", "env", "region", "version", "instance", TenantAttribute:
		return true
	}
	return false
}

// setShortIdentity applies the short names where the conventions' name is
// absent; one that is not needed stays an attribute.
func setShortIdentity(out *model.Resource, attrs pcommon.Map) {
	for key, v := range attrs.All() {
		if !isShortIdentity(key) || !scalar(v) {
			continue
		}
		if _, set := identityOf(out, key); !set {
			out.SetIdentity(key, v.AsString())
		} else {
			out.Attrs = append(out.Attrs, model.Attr{Key: key, Value: ValueOf(v)})
		}
	}
}

// identityOf is the identity field that a short name stands for, and whether it is set.
func identityOf(r *model.Resource, short string) (string, bool) {
	v := ""
	switch short {
	case "service":
		v = r.Service
	case "namespace":
		v = r.Namespace
	case "env":
		v = r.Env
	case "region":
		v = r.Region
	case "version":
		v = r.Version
	case "instance":
		v = r.Instance
	case TenantAttribute:
		v = r.Tenant
	}
	return v, v != ""
}

// maxTenantBytes is Grafana's limit for the same header.
const maxTenantBytes = 150

// CheckTenant accepts what the field's other servers accept in X-Scope-OrgID:
// letters, digits and !-_.*'() up to 150 bytes, but neither "." nor "..".
func CheckTenant(tenant string) error {
	if len(tenant) > maxTenantBytes {
		return fmt.Errorf("tenant is %d bytes long, the limit is %d", len(tenant), maxTenantBytes)
	}
	if tenant == "." || tenant == ".." {
		return fmt.Errorf("tenant %q is not allowed", tenant)
	}
	for i := range len(tenant) {
		c := tenant[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && strings.IndexByte("!-_.*'()", c) < 0 {
			return fmt.Errorf("tenant %q: %q is not allowed, use letters, digits and !-_.*'()", tenant, c)
		}
	}
	return nil
}
