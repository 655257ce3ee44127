package spanmetrics

import "github.com/signalbox-project/signalbox/internal/model"

// maxRouteBytes bounds a label's value; a longer one is no route.
const maxRouteBytes = 200

// RouteOf is the low-cardinality name of what a span did: http.route, else the
// RPC method, else the messaging destination, else the span's name.
func RouteOf(s *model.Span) string {
	if r := text(s, "http.route"); r != "" {
		return r
	}
	if m := text(s, "rpc.method"); m != "" {
		if svc := text(s, "rpc.service"); svc != "" {
			return clip(svc + "/" + m)
		}
		return m
	}
	for _, k := range [...]string{"messaging.destination.template", "messaging.destination.name", "messaging.destination"} {
		if d := text(s, k); d != "" {
			return d
		}
	}
	if s.Name == "" {
		return "unknown"
	}
	return clip(s.Name)
}

func text(s *model.Span, key string) string {
	for i := range s.Attrs {
		if s.Attrs[i].Key == key && s.Attrs[i].Value.Kind() == model.KindString {
			return clip(s.Attrs[i].Value.Str())
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
