package metrics

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// The translation writes every letter that classic Prometheus names lack as an
// underscore: 温度 and 湿度 would be the same label, and a name without any classic letter
// none at all. Such names are kept as they are, since Prometheus 3 takes UTF-8. They
// pass the translation as placeholders, which it leaves alone.
const placeholder = "signalboxutf8x"

// mustKeep says whether a name does not survive the translation.
func mustKeep(name string) bool {
	classic := false
	for i := range len(name) {
		c := name[i]
		if c >= utf8.RuneSelf {
			return true
		}
		classic = classic || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	return !classic
}

// keep is the placeholder of a name that must be kept, and the name itself
// otherwise.
func keep(name string) string {
	if name == "" || !mustKeep(name) {
		return name
	}
	return placeholder + hex.EncodeToString([]byte(strings.ToValidUTF8(name, "\uFFFD")))
}

// kept puts the name back that a placeholder stands for; what the translation
// appended to it stays.
func kept(name string) string {
	rest, ok := strings.CutPrefix(name, placeholder)
	if !ok {
		return name
	}
	code, suffix, cut := strings.Cut(rest, "_")
	text, err := hex.DecodeString(code)
	// A sender may name something like a placeholder itself.
	if err != nil || !utf8.Valid(text) || !mustKeep(string(text)) {
		return name
	}
	if cut {
		suffix = "_" + suffix
	}
	return string(text) + suffix
}

// keptLabels puts back all names of a series.
func keptLabels(ls labels.Labels) labels.Labels {
	odd := false
	ls.Range(func(l labels.Label) {
		odd = odd || strings.HasPrefix(l.Name, placeholder) || l.Name == prommodel.MetricNameLabel && strings.HasPrefix(l.Value, placeholder)
	})
	if !odd {
		return ls
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	ls.Range(func(l labels.Label) {
		if l.Name == prommodel.MetricNameLabel {
			b.Set(l.Name, kept(l.Value))
			return
		}
		b.Set(kept(l.Name), l.Value)
	})
	return b.Labels()
}

// keepKeys replaces keys that do not survive the translation by placeholders. It
// reports whether a key is empty, which OTLP does not allow.
func keepKeys(attrs pcommon.Map) (empty bool) {
	odd := false
	for key := range attrs.All() {
		empty = empty || key == ""
		odd = odd || mustKeep(key)
	}
	if !odd || empty {
		return empty
	}
	out := pcommon.NewMap()
	out.EnsureCapacity(attrs.Len())
	for key, v := range attrs.All() {
		v.CopyTo(out.PutEmpty(keep(key)))
	}
	out.MoveTo(attrs)
	return false
}

// dropEmptyKeys is for attributes that name nobody's point.
func dropEmptyKeys(attrs pcommon.Map) {
	attrs.RemoveIf(func(key string, _ pcommon.Value) bool { return key == "" })
}
