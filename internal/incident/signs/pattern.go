package signs

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	// maxText is how much of a line is looked at.
	maxText = 400
	// maxVariants is how many values a place in a line may have before it is a parameter.
	maxVariants = 4
	// any stands for what changes from line to line.
	anything = "*"
)

// pattern is what lines have in common: words, and places where something else stands each time.
type pattern struct {
	tokens []string
	level  model.Level
	n      int
}

func (p *pattern) String() string { return strings.Join(p.tokens, " ") }

// tokensOf cuts a line at its spaces. What holds a digit is a parameter: numbers, addresses, IDs, times.
func tokensOf(line string) []string {
	if len(line) > maxText {
		line = strings.ToValidUTF8(line[:maxText], "")
	}
	out := strings.Fields(line)
	for i, t := range out {
		if strings.ContainsFunc(t, unicode.IsDigit) {
			out[i] = anything
		}
	}
	return out
}

// phrases are the words between parameters, as a search finds them.
func (p *pattern) phrases() []string {
	var out []string
	var run []string
	flush := func() {
		if len(run) > 0 {
			out = append(out, strings.Join(run, " "))
		}
		run = nil
	}
	for _, t := range p.tokens {
		if t == anything {
			flush()
			continue
		}
		// A phrase matches with what stands between its words, so that it ends wherever that is more than one space.
		inner := strings.TrimFunc(t, apartFrom)
		words := strings.FieldsFunc(inner, apartFrom)
		if !strings.HasPrefix(t, inner) {
			flush()
		}
		for i, word := range words {
			if i > 0 {
				flush()
			}
			run = append(run, word)
		}
		if !strings.HasSuffix(t, inner) {
			flush()
		}
	}
	flush()
	return out
}

// apartFrom says what stands between words.
func apartFrom(r rune) bool { return !unicode.IsLetter(r) && r != '_' }

// tells says whether a pattern has enough words to be found by.
func (p *pattern) tells() bool {
	letters := 0
	for _, s := range p.phrases() {
		letters += len(s)
	}
	return letters >= 8
}

// patternsOf groups lines. Those of the same length and first word are variants of one another where one place of them has many values, as a name has.
func patternsOf(lines []model.LogRecord) []*pattern {
	byText := map[string]*pattern{}
	add := func(all map[string]*pattern, p *pattern) {
		key := p.String()
		if all[key] == nil {
			all[key] = &pattern{tokens: p.tokens}
		}
		all[key].n += p.n
		all[key].level = max(all[key].level, p.level)
	}
	for _, r := range lines {
		if tokens := tokensOf(r.Message); len(tokens) > 0 {
			add(byText, &pattern{tokens: tokens, level: r.Level, n: 1})
		}
	}
	families := map[string][]*pattern{}
	for _, p := range byText {
		key := strings.Join([]string{p.tokens[0], strings.Repeat("x", len(p.tokens))}, " ")
		families[key] = append(families[key], p)
	}
	merged := map[string]*pattern{}
	for _, family := range families {
		for _, p := range generalized(family) {
			add(merged, p)
		}
	}
	out := make([]*pattern, 0, len(merged))
	for _, p := range merged {
		if p.tells() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *pattern) int {
		return cmp.Or(cmp.Compare(b.level, a.level), cmp.Compare(b.n, a.n), cmp.Compare(a.String(), b.String()))
	})
	return out
}

// generalized makes parameters of places with many values.
func generalized(family []*pattern) []*pattern {
	if len(family) <= maxVariants {
		return family
	}
	var out []*pattern
	places := make([]map[string]bool, len(family[0].tokens))
	for _, p := range family {
		for i, t := range p.tokens {
			if places[i] == nil {
				places[i] = map[string]bool{}
			}
			places[i][t] = true
		}
	}
	for _, p := range family {
		tokens := slices.Clone(p.tokens)
		for i := range tokens {
			if len(places[i]) > maxVariants {
				tokens[i] = anything
			}
		}
		out = append(out, &pattern{tokens: tokens, level: p.level, n: p.n})
	}
	return out
}
