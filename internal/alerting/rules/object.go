package rules

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// The Kubernetes object that holds rules, of the Prometheus operator.
const (
	objectKind    = "PrometheusRule"
	objectVersion = "monitoring.coreos.com/v1"
)

var (
	documentRE = regexp.MustCompile(`(?m)^---[ \t]*(#.*)?$`)
	kindRE     = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([A-Za-z]+)`)
	groupsRE   = regexp.MustCompile(`(?m)^( *)groups:[ \t]*(#.*)?$`)
	// thanosRE is a key of the object that is for Thanos Ruler alone.
	thanosRE = regexp.MustCompile(`(?m)^ *partial_response_strategy:.*$`)
)

// parse reads the text of a rule file: Prometheus' own format, or
// PrometheusRule objects, of which a file may hold several, and lists of them.
func parse(text []byte, ignoreUnknown bool, names model.ValidationScheme, p parser.Parser, log *slog.Logger) (*rulefmt.RuleGroups, []error) {
	if !kindRE.Match(text) {
		return rulefmt.Parse(text, ignoreUnknown, names, p, log)
	}
	out := &rulefmt.RuleGroups{}
	var errs []error
	take := func(plain []byte, what string) {
		groups, problems := rulefmt.Parse(plain, ignoreUnknown, names, p, log)
		for _, err := range problems {
			if what != "" {
				err = fmt.Errorf("%s: %w", what, err)
			}
			errs = append(errs, err)
		}
		if len(problems) == 0 {
			out.Groups = append(out.Groups, groups.Groups...)
		}
	}
	for _, doc := range documents(text) {
		if err := eachRules(doc, take); err != nil {
			errs = append(errs, err)
		}
	}
	seen := map[string]bool{}
	for _, g := range out.Groups {
		if seen[g.Name] {
			errs = append(errs, fmt.Errorf("groupname: %q is repeated in the same file: give one of the objects a file of its own", g.Name))
		}
		seen[g.Name] = true
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return out, nil
}

// documents splits a file; each part begins with as many empty lines as stand
// before it, so that errors name the right one.
func documents(text []byte) [][]byte {
	var out [][]byte
	begin := 0
	add := func(end int) {
		if part := text[begin:end]; len(bytes.TrimSpace(part)) > 0 {
			lines := bytes.Count(text[:begin], []byte("\n"))
			out = append(out, append(bytes.Repeat([]byte("\n"), lines), part...))
		}
	}
	for _, at := range documentRE.FindAllIndex(text, -1) {
		add(at[0])
		begin = at[1]
	}
	add(len(text))
	return out
}

// object is as much of a Kubernetes object as matters here.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec  struct{ Groups any } `yaml:"spec"`
	Items []object             `yaml:"items"`
}

// eachRules calls take with the rules of a document as a plain rule file.
func eachRules(doc []byte, take func(plain []byte, what string)) error {
	var o object
	if err := yaml.Unmarshal(doc, &o); err != nil {
		return errors.New(yaml.FormatError(err, false, false))
	}
	switch o.Kind {
	case objectKind:
		if o.APIVersion != objectVersion {
			return fmt.Errorf("%s %s: apiVersion must be %s, got %q", objectKind, o.Metadata.Name, objectVersion, o.APIVersion)
		}
		// The object's own lines, moved to the left, keep the numbers of the lines.
		if at := groupsRE.FindSubmatchIndex(doc); at != nil {
			take(outdent(doc, at[0], at[3]-at[2]), "")
			return nil
		}
		return marshalled(o, take)
	case "List", objectKind + "List":
		for _, item := range o.Items {
			if item.Kind != "" && item.Kind != objectKind {
				return fmt.Errorf("%s %s in a list: only %s objects hold rules", item.Kind, item.Metadata.Name, objectKind)
			}
			if err := marshalled(item, take); err != nil {
				return err
			}
		}
		return nil
	case "":
		take(doc, "")
		return nil
	}
	return fmt.Errorf("%s %s: only %s objects hold rules; leave it out of rule_files", o.Kind, o.Metadata.Name, objectKind)
}

// outdent is the block that begins at from with so much indentation, without it.
func outdent(doc []byte, from, indent int) []byte {
	out := bytes.Repeat([]byte("\n"), bytes.Count(doc[:from], []byte("\n")))
	for i, line := range bytes.SplitAfter(doc[from:], []byte("\n")) {
		own := len(line) - len(bytes.TrimLeft(line, " "))
		blank := len(bytes.TrimSpace(line)) == 0
		comment := bytes.HasPrefix(bytes.TrimSpace(line), []byte("#"))
		if i > 0 && !blank && !comment && own < indent {
			break
		}
		// Another key beside groups ends it; list elements may stand at its own column.
		if i > 0 && !blank && !comment && own == indent && line[own] != '-' {
			break
		}
		out = append(out, line[min(indent, own):]...)
	}
	return thanosRE.ReplaceAll(out, nil)
}

// marshalled is the way for objects that are not written in blocks.
func marshalled(o object, take func(plain []byte, what string)) error {
	text, err := yaml.Marshal(map[string]any{"groups": o.Spec.Groups})
	if err != nil {
		return fmt.Errorf("%s %s: %w", objectKind, o.Metadata.Name, err)
	}
	take(thanosRE.ReplaceAll(text, nil), objectKind+" "+o.Metadata.Name)
	return nil
}

// ObjectMeta is what a PrometheusRule object is called.
type ObjectMeta struct {
	Name      string
	Namespace string            // "" leaves it to who applies it
	Labels    map[string]string // by which a Prometheus of the operator selects rules
}

// ToObject writes a rule file as a PrometheusRule object; its comments stay. A file of
// objects, and one whose rules do not load, is an error.
func ToObject(meta ObjectMeta, text []byte) ([]byte, error) {
	if kindRE.Match(text) {
		return nil, errors.New("these are Kubernetes objects already")
	}
	if _, errs := Parse(text); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	head := yaml.MapSlice{{Key: "name", Value: meta.Name}}
	if meta.Namespace != "" {
		head = append(head, yaml.MapItem{Key: "namespace", Value: meta.Namespace})
	}
	if len(meta.Labels) > 0 {
		head = append(head, yaml.MapItem{Key: "labels", Value: meta.Labels})
	}
	out, err := yaml.Marshal(yaml.MapSlice{{Key: "apiVersion", Value: objectVersion}, {Key: "kind", Value: objectKind}, {Key: "metadata", Value: head}})
	if err != nil {
		return nil, fmt.Errorf("write object %s: %w", meta.Name, err)
	}
	out = append(out, "spec:\n"...)
	for line := range strings.Lines(string(documentRE.ReplaceAll(text, nil))) {
		if strings.TrimSpace(line) != "" {
			out = append(out, "  "...)
		}
		out = append(out, line...)
	}
	if !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, '\n')
	}
	return out, nil
}

var unnamable = regexp.MustCompile(`[^a-z0-9]+`)

// ObjectName makes a name of an object of a file's base name without its
// extension.
func ObjectName(base string) string {
	parts := slices.DeleteFunc(unnamable.Split(strings.ToLower(base), -1), func(s string) bool { return s == "" })
	return strings.Join(parts, "-")
}
