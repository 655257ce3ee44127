package store

import (
	"slices"
	"strings"
)

// CanonicalField is the name that engines know a field by: the semantic
// conventions' names of identity fields, and the other names in docs/query-language.md, map to
// the fields of store.Expr; every other name is itself.
func CanonicalField(name string) string {
	switch name {
	case "service.name":
		return "service"
	case "service.namespace":
		return "namespace"
	case "deployment.environment.name", "deployment.environment":
		return "env"
	case "cloud.region":
		return "region"
	case "service.version":
		return "version"
	case "service.instance.id":
		return "instance"
	case "trace", "traceid", "traceId", "trace.id":
		return "trace_id"
	case "span", "spanid", "spanId", "span.id":
		return "span_id"
	case "parent", "parent_span_id", "parent.id":
		return "parent_id"
	case "severity", "severity_text", "log.level":
		return "level"
	case "body":
		return "message"
	case "@timestamp", "time", "start":
		return "timestamp"
	case "duration_ns":
		return "duration"
	case "span.name":
		return "name"
	case "span.kind":
		return "kind"
	case "otel.scope.name":
		return "scope"
	}
	return name
}

// AttrPrefix before a name that a field has means an attribute of that name: attr.tenant.
const AttrPrefix = "attr."

// IsFieldName reports whether a name means a field of a log record or a span, in any of its
// spellings, so that an attribute of that name is asked for with AttrPrefix.
func IsFieldName(name string) bool {
	name = CanonicalField(name)
	return slices.Contains(LogFieldNames(), name) || slices.Contains(SpanFieldNames(), name)
}

// AttrKey is the key of the attribute that a field of kind FieldAttr means.
func AttrKey(field string) string {
	if name, ok := strings.CutPrefix(field, AttrPrefix); ok && IsFieldName(name) {
		return name
	}
	return field
}

// AttrField is the field by which an attribute is asked for: the inverse of AttrKey.
func AttrField(key string) string {
	if IsFieldName(key) {
		return AttrPrefix + key
	}
	return key
}
