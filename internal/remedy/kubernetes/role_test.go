package kubernetes

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// exampleRole is what examples/pipelines/kubernetes-rollback.yaml allows, as
// "verb group/resource".
func exampleRole(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../../examples/pipelines/kubernetes-rollback.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var role struct {
			Kind     string
			Metadata struct{ Namespace string }
			Rules    []struct {
				APIGroups []string `yaml:"apiGroups"`
				Resources []string
				Verbs     []string
			}
		}
		if err := yaml.Unmarshal([]byte(doc), &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == "Role" && role.Metadata.Namespace != "shop" {
			t.Errorf("the role is for %s", role.Metadata.Namespace)
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					out = append(out, verb+" "+rule.APIGroups[0]+"/"+resource)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// permission is what Kubernetes' RBAC asks for a request: a GET of a
// collection is a list, a part of an object below its name is a subresource.
func permission(t *testing.T, method, path string) string {
	t.Helper()
	parts := strings.Split(strings.TrimPrefix(path, "/apis/"), "/") // group, version, namespaces, its name, resource, name, subresource
	if len(parts) < 5 || parts[2] != "namespaces" || parts[3] != "shop" {
		t.Fatalf("a path outside the namespace: %s", path)
	}
	verb := map[string]string{http.MethodGet: "get", http.MethodPatch: "patch"}[method]
	if method == http.MethodGet && len(parts) == 5 {
		verb = "list"
	}
	resource := parts[4]
	if len(parts) == 7 {
		resource += "/" + parts[6]
	}
	return verb + " " + parts[0] + "/" + resource
}

func TestTheExampleRoleAllowsWhatRollbacksNeedAndNoMore(t *testing.T) {
	c := &cluster{objects: objects(deploymentObject("2.4.1", ""), sets(set("7", "2.4.1", "u1"), set("6", "2.4.0", "u1")))}
	c.objects[rolloutPath] = rollout("2.4.1", "b", "a", "")
	api := serve(t, c)
	order := rollback.Order{Version: "2.4.1", Previous: "2.4.0"}
	if _, err := NewUndo(Config{API: api, Namespace: "shop", Deployment: "edge"}, nil, nil).Rollback(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if _, err := NewAbort(RolloutConfig{API: api, Namespace: "shop", Rollout: "edge"}, nil, nil).Rollback(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	slices.Sort(c.asked)
	if d := cmp.Diff(exampleRole(t), slices.Compact(c.asked)); d != "" {
		t.Errorf("allowed (-) and asked (+):\n%s", d)
	}
}
