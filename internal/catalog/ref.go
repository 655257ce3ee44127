package catalog

import (
	"fmt"
	"strings"
)

// ref names an entity of Backstage's: [kind:][namespace/]name. Kinds and names are the same in any case of letters.
type ref struct{ kind, namespace, name string }

func (r ref) key() ref {
	return ref{fold(r.kind), fold(r.namespace), fold(r.name)}
}

// parseRef reads a reference; what it does not say is that of kind and namespace.
func parseRef(text, kind, namespace string) (ref, error) {
	out := ref{kind: kind, namespace: namespace, name: strings.TrimSpace(text)}
	if before, after, found := strings.Cut(out.name, ":"); found {
		if strings.Contains(before, "/") {
			// resource/default:x is a slip that people make: the colon stands behind the kind.
			k, ns, _ := strings.Cut(before, "/")
			return ref{}, fmt.Errorf("%q is no reference: the kind ends with a colon and the namespace with a slash; write %s:%s/%s", text, k, ns, after)
		}
		out.kind, out.name = before, after
	}
	if before, after, found := strings.Cut(out.name, "/"); found {
		out.namespace, out.name = before, after
	}
	if out.kind == "" && kind != "" || out.namespace == "" || out.name == "" || strings.ContainsAny(out.name, ":/") {
		return ref{}, fmt.Errorf("%q is no reference; write kind:namespace/name, of which kind and namespace may be left out", text)
	}
	return out, nil
}
