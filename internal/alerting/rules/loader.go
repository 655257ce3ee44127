package rules

import (
	_ "embed"
	"fmt"
	"log/slog"
	"os"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/expression"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// builtIn is the name under which our own rules are listed beside the files.
const builtIn = "built-in"

//go:embed builtin.yml
var builtInYAML []byte

// loader reads rule files, and the built-in rules as if they were one.
type loader struct {
	parser parser.Parser
	log    *slog.Logger
}

// prepared hands the manager rules that were read before: what is on the disk by now does not count.
type prepared struct {
	loader
	next Set // of the Update that runs
}

func (l *prepared) Load(file string, ignoreUnknown bool, names prommodel.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	for _, f := range l.next {
		if f.Path == file {
			return f.Groups, nil
		}
	}
	return l.loader.Load(file, ignoreUnknown, names)
}

func newLoader(p parser.Parser) loader {
	return loader{parser: p, log: instrument.Silent()}
}

// Loader reads rule files for a manager of Prometheus' rules as they are read
// here: plain ones and PrometheusRule objects.
func Loader(p parser.Parser) promrules.GroupLoader { return newLoader(p) }

// DefaultParser takes what Prometheus takes without a flag.
func DefaultParser() parser.Parser {
	return expression.Parser{Parser: parser.NewParser(parser.Options{ExperimentalDurationExpr: true})}
}

// everything takes all there is: whether a feature is on is judged where a rule is put in force.
func everything() parser.Parser {
	return expression.Parser{Parser: parser.NewParser(parser.Options{
		ExperimentalDurationExpr: true, EnableExperimentalFunctions: true, EnableExtendedRangeSelectors: true, EnableBinopFillModifiers: true,
	})}
}

func (l loader) Load(file string, ignoreUnknown bool, names prommodel.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	if file == builtIn {
		return rulefmt.Parse(builtInYAML, ignoreUnknown, names, l.parser, l.log)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, []error{fmt.Errorf("%s: %w", file, err)}
	}
	groups, errs := parse(text, ignoreUnknown, names, l.parser, l.log)
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", file, err)
	}
	return groups, errs
}

func (l loader) Parse(query string) (parser.Expr, error) { return l.parser.ParseExpr(query) }

// Parse reads the text of a rule file as Load does and answers every problem.
func Parse(text []byte) (*rulefmt.RuleGroups, []error) {
	l := newLoader(everything())
	return parse(text, false, prommodel.UTF8Validation, l.parser, l.log)
}

// ParseExpr reads the expression of a rule.
func ParseExpr(expr string) (parser.Expr, error) { return everything().ParseExpr(expr) }
