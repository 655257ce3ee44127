package spanmetrics

import (
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
)

// maxRouteBytes bounds a label's value; a longer one is no route.
const maxRouteBytes = 200

// RouteOf is the low-cardinality name of what a span did, as it is shown to everybody: http.route, else the
// RPC method, else the messaging destination, else the span's name.
func RouteOf(s *model.Span, v *mask.View) string {
	if r := text(s, v, "http.route"); r != "" {
		return r
	}
	if m := text(s, v, "rpc.method"); m != "" {
		if svc := text(s, v, "rpc.service"); svc != "" {
			return clip(svc + "/" + m)
		}
		return m
	}
	for _, k := range [...]string{"messaging.destination.template", "messaging.destination.name", "messaging.destination"} {
		if d := text(s, v, k); d != "" {
			return d
		}
	}
	if s.Name == "" {
		return "unknown"
	}
	return clip(v.Text("name", s.Name))
}

// text is masked before it is cut: a pattern finds no half of a number.
func text(s *model.Span, v *mask.View, key string) string {
	for i := range s.Attrs {
		if s.Attrs[i].Key == key && s.Attrs[i].Value.Kind() == model.KindString {
			return clip(v.Text(key, s.Attrs[i].Value.Str()))
		}
	}
	return ""
}

func clip(s string) string {
	if len(s) <= maxRouteBytes {
		return s
	}
	n := maxRouteBytes
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a rune
		n--
	}
	return s[:n]
}
