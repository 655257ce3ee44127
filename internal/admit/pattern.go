package admit

import (
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/mask/pattern"
)

// newPattern reads a setting of pattern.New. One that finds what stands instead would mask without end.
func newPattern(setting string) (*pattern.Pattern, error) {
	p, err := pattern.New(setting)
	if err == nil && len(p.Find(maskText)) > 0 {
		err = fmt.Errorf("%s: must not match %s", setting, maskText)
	}
	return p, err
}

// maskAll replaces all that a pattern finds; found says whether there was anything.
func maskAll(p *pattern.Pattern, s string) (out string, found bool) {
	spans := p.Find(s)
	if len(spans) == 0 {
		return s, false
	}
	var b strings.Builder
	done := 0
	for _, at := range spans {
		b.WriteString(s[done:at.Start])
		b.WriteString(maskText)
		done = at.End
	}
	b.WriteString(s[done:])
	return b.String(), b.String() != s
}
