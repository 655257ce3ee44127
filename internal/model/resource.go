package model

// DefaultTenant is the tenant of everything that names none.
const DefaultTenant = "default"

// Home is the tenant that has stores for itself; "" is DefaultTenant. Its series have no label for the tenant.
type Home string

// Label is what the label tenant of a series of tenant says: "" for that of home. DefaultTenant means home too, for
// rooms that ask about their own stores.
func (h Home) Label(tenant string) string {
	if tenant == DefaultTenant || tenant == string(h) {
		return ""
	}
	return tenant
}

// TenantHeader is the HTTP header (and, lower-cased, the gRPC metadata key)
// that names the tenant of a request.
const TenantHeader = "X-Scope-OrgID"

// Resource says who emitted a record. Many records share one *Resource, so it
// MUST NOT be changed once a record that points to it has been handed on.
type Resource struct {
	Tenant    string `json:"tenant,omitempty"`
	Service   string `json:"service,omitempty"`   // service.name
	Namespace string `json:"namespace,omitempty"` // service.namespace
	Env       string `json:"env,omitempty"`       // deployment.environment.name
	Region    string `json:"region,omitempty"`    // cloud.region
	Version   string `json:"version,omitempty"`   // service.version
	Instance  string `json:"instance,omitempty"`  // service.instance.id
	Attrs     Attrs  `json:"attributes,omitempty"`
}

// SetIdentity stores value in the field that the OpenTelemetry resource
// attribute key stands for and reports whether there is one. Short names
// (service, env, …) are accepted as well as the semantic-convention names.
func (r *Resource) SetIdentity(key, value string) bool {
	switch key {
	case "service.name", "service":
		r.Service = value
	case "service.namespace", "namespace":
		r.Namespace = value
	case "deployment.environment.name", "deployment.environment", "env":
		r.Env = value
	case "cloud.region", "region":
		r.Region = value
	case "service.version", "version":
		r.Version = value
	case "service.instance.id", "instance":
		r.Instance = value
	case "tenant":
		r.Tenant = value
	default:
		return false
	}
	return true
}
