package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Annotations that say what Backstage's format has no key for.
const (
	annotationService    = "signalbox.dev/service"    // names in telemetry, with commas
	annotationNamespace  = "signalbox.dev/namespace"  // the label namespace
	annotationTier       = "signalbox.dev/tier"       // 1 to 4
	annotationEscalation = "signalbox.dev/escalation" // of components and groups
	annotationSchedule   = "signalbox.dev/schedule"   // of components and groups
	annotationChat       = "signalbox.dev/chat"       // of components and groups
	annotationRunbooks   = "signalbox.dev/runbooks"   // names and links, with commas
	annotationExcused    = "signalbox.dev/excused"    // word: reason, with semicolons
	annotationKubernetes = "backstage.io/kubernetes-namespace"
)

// entity is one document of a catalog-info file.
type entity struct {
	kind, name, namespace, title, description string
	annotations                               map[string]string
	links                                     []Link
	spec                                      spec
	place
}

// spec are the parts of an entity's spec that mean something here.
type spec struct {
	kind, lifecycle, title, email string // type; of a group's profile
	owner, system, parent         *ref
	dependsOn, dependencyOf       []ref
	provides, consumes            []ref
}

// Kinds of entities by how they are read.
const (
	taken  = iota + 1
	passed // has no meaning here
	led    // points to other files
)

func kindsOf() map[string]int {
	return map[string]int{
		"component": taken, "resource": taken, "api": taken, "system": taken, "group": taken,
		"user": passed, "domain": passed, "template": passed, "location": led,
	}
}

func entityKeys() []string {
	return []string{"type", "lifecycle", "owner", "system", "subcomponentOf", "providesApis", "consumesApis", "dependsOn", "dependencyOf", "definition", "profile", "parent", "children", "members", "memberOf", "domain"}
}

// readEntity reads an entity. Keys that are unknown are others' extensions, as Backstage takes them.
func readEntity(r *document.Reader, o *document.Object) (e entity, ok bool) {
	before := r.Errors()
	r.Examples = map[string]string{"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "name": "checkout", "metadata": "{name: checkout}", "spec": "{type: service, owner: team-a}"}
	e.kind = fold(o.Str("kind", true))
	how := kindsOf()[e.kind]
	if apiVersion := o.Str("apiVersion", true); apiVersion != "" && (how == 0 || how == taken && !strings.HasPrefix(apiVersion, "backstage.io/")) {
		// Extensions bring kinds, and versions, of their own.
		if near := nearest.Name(e.kind, kindNames()); how == 0 && near != "" && strings.HasPrefix(apiVersion, "backstage.io/") {
			o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", o.Str("kind", true)), fmt.Sprintf("did you mean %q?", near))
		} else {
			o.At("kind").Warning(fmt.Sprintf("kind %q of %q is none that is read here", e.kind, apiVersion), "known are Component, Resource, API, System and Group of backstage.io/v1alpha1")
		}
		return e, false
	}
	if how == led {
		o.At("kind").Warning("a Location is not followed", "name the files that it points to in catalog_files")
	}
	if how != taken || r.Errors() > before {
		return e, false
	}
	e.line = o.Line()
	meta := o.Object("metadata", true)
	if meta == nil {
		return e, false
	}
	e.metadata(meta)
	if spec := o.Object("spec", e.kind != "group"); spec != nil {
		e.readSpec(spec)
	}
	return e, r.Errors() == before
}

func kindNames() []string { return []string{"component", "resource", "api", "system", "group"} }

func (e *entity) metadata(meta *document.Object) {
	e.name, e.namespace, e.title = meta.Str("name", true), meta.Str("namespace", false), meta.Str("title", false)
	e.description = strings.TrimSpace(meta.Str("description", false))
	switch {
	case strings.Contains(e.name, "{{"):
		meta.At("name").Problem("this is the skeleton of a template, of which a catalog-info file is made", "name files in catalog_files that are no templates")
	case e.name != "" && !nameRE.MatchString(e.name):
		meta.At("name").Problem(fmt.Sprintf("%s, got %q", nameRule, e.name), "use the key title for what people read")
	}
	if e.namespace == "" {
		e.namespace = "default"
	}
	e.annotations = meta.StrMap("annotations")
	for _, n := range meta.List("links", false) {
		one := n.Object("metadata.links")
		if one == nil {
			continue
		}
		l := Link{Title: one.Str("title", false), URL: one.Str("url", true), Type: fold(one.Str("type", false))}
		if err := weblink.Check(l.URL); err != nil {
			one.At("url").Problem(err.Error(), "mend the link, or take it out")
			continue
		}
		e.links = append(e.links, titled(l))
	}
	e.known(meta)
}

// known are links that annotations of Backstage's stand for.
func (e *entity) known(meta *document.Object) {
	add := func(title, kind, url string) {
		if url == "" {
			return
		}
		if err := weblink.Check(url); err != nil {
			meta.At("annotations").Warning(fmt.Sprintf("annotations: %s %q is no link: %v", kind, url, err), "mend it")
		} else if !slices.ContainsFunc(e.links, func(l Link) bool { return l.URL == url }) {
			e.links = append(e.links, Link{Title: title, Type: kind, URL: url})
		}
	}
	source := e.annotations["backstage.io/source-location"]
	if url, isURL := strings.CutPrefix(source, "url:"); isURL {
		add("Source", "repository", url)
	} else if slug := e.annotations["github.com/project-slug"]; slug != "" {
		add("Source", "repository", "https://github.com/"+slug)
	} else if slug := e.annotations["gitlab.com/project-slug"]; slug != "" {
		add("Source", "repository", "https://gitlab.com/"+slug)
	}
	add("Dashboard", "dashboard", e.annotations["grafana/overview-dashboard"])
}

// titled is a link with a title and, where its title says it, its type.
func titled(l Link) Link {
	if l.Title == "" {
		l.Title = l.URL
	}
	if l.Type == "" {
		for _, word := range []string{"runbook", "dashboard", "repository", "chat"} {
			if strings.Contains(fold(l.Title), word) {
				l.Type = word
			}
		}
	}
	return l
}

func (e *entity) readSpec(o *document.Object) {
	e.spec.kind, e.spec.lifecycle = fold(o.Str("type", false)), o.Str("lifecycle", false)
	e.spec.owner = e.one(o, "owner", "group")
	e.spec.system = e.one(o, "system", "system")
	e.spec.parent = e.one(o, "parent", "group")
	e.spec.dependsOn, e.spec.dependencyOf = e.many(o, "dependsOn", ""), e.many(o, "dependencyOf", "")
	e.spec.provides, e.spec.consumes = e.many(o, "providesApis", "api"), e.many(o, "consumesApis", "api")
	if profile, there := o.Node("profile"); there {
		if p := profile.Object(o.Join("profile")); p != nil {
			e.spec.title, e.spec.email = p.Str("displayName", false), p.Str("email", false)
		}
	}
	known := entityKeys()
	for _, key := range o.Keys() {
		if near := nearest.Name(key, known); !slices.Contains(known, key) && near != "" {
			o.At(key).Warning(fmt.Sprintf("unknown key %q", key), fmt.Sprintf("did you mean %q?", near))
		}
	}
}

// one reads a reference, as text or as a mapping of its parts.
func (e *entity) one(o *document.Object, key, kind string) *ref {
	n, there := o.Node(key)
	if !there {
		return nil
	}
	if text, isText := n.Scalar(); isText {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		r, err := parseRef(text, kind, e.namespace)
		if err != nil {
			o.At(key).Problem(err.Error(), "")
			return nil
		}
		return &r
	}
	parts := n.Object(o.Join(key))
	if parts == nil {
		return nil
	}
	r := ref{kind: parts.Str("kind", false), namespace: parts.Str("namespace", false), name: parts.Str("name", true)}
	if r.kind == "" {
		r.kind = kind
	}
	if r.namespace == "" {
		r.namespace = e.namespace
	}
	return &r
}

// many reads a list of references. Where no kind is meant, Backstage refuses a name alone; what is meant is found by the name.
func (e *entity) many(o *document.Object, key, kind string) (out []ref) {
	if n, there := o.Node(key); there {
		if text, isText := n.Scalar(); isText { // one without a list
			o.At(key).Problem("must be a list", fmt.Sprintf("write `%s: [%s]`", key, text))
			return nil
		}
	}
	for _, text := range o.Strings(key) {
		r, err := parseRef(text, kind, e.namespace)
		if err != nil {
			o.At(key).Problem(err.Error(), "")
			continue
		}
		if r.kind == "" {
			o.At(key).Warning(fmt.Sprintf("%q says no kind, which Backstage refuses", text), fmt.Sprintf("write component:%s or resource:%s", text, text))
		}
		out = append(out, r)
	}
	return out
}

// tier is what the annotation says; 0 is nothing.
func (e entity) tier() (int, *document.Problem) {
	text := e.annotations[annotationTier]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxTier {
		return 0, &document.Problem{
			File: e.file, Line: e.line, Message: fmt.Sprintf("%s %s: annotation %s is %q", e.kind, e.name, annotationTier, text),
			Cure: "write 1 (the most important) to 4", Warning: true,
		}
	}
	return n, nil
}
