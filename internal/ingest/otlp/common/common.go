// Package common converts what all signals of OpenTelemetry share: resources,
// scopes, attribute values and times, and it counts what is refused.
//
// In: pdata. Out: model values. It keeps nothing and is safe for concurrent use. Start reading
// at ResourceOf.
package common

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// ReasonTenant is why records of an impossible tenant are refused.
const ReasonTenant = "bad_tenant"

// MaxNesting is how deep attribute values may nest. Real telemetry stays below
// ten; the decoder needs about a kilobyte of stack per level and Go cannot recover from
// its 1 GB limit, so that 16 MB of brackets would end the process.
const MaxNesting = 64

// AppendScope adds what the scope says beyond its name, and the name where the
// record has no field for it.
func AppendScope(dst model.Attrs, scope pcommon.InstrumentationScope, withName bool) model.Attrs {
	if withName && scope.Name() != "" {
		dst = append(dst, model.Attr{Key: "otel.scope.name", Value: model.StringValue(scope.Name())})
	}
	if scope.Version() != "" {
		dst = append(dst, model.Attr{Key: "otel.scope.version", Value: model.StringValue(scope.Version())})
	}
	return AppendAttrs(dst, scope.Attributes())
}

// AppendCount adds a count as an attribute unless it is zero.
func AppendCount(dst model.Attrs, key string, n uint32) model.Attrs {
	if n == 0 {
		return dst
	}
	return append(dst, model.Attr{Key: key, Value: model.IntValue(int64(n))})
}

// Nanos is a timestamp as Unix ns; what does not fit (after the year 2262) is the largest.
func Nanos(t pcommon.Timestamp) int64 {
	return int64(min(uint64(t), math.MaxInt64))
}

// Refuse adds n to the reason's entry; the first message stays.
func Refuse(list []stream.Refusal, reason, message string, n int) []stream.Refusal {
	if n <= 0 {
		return list
	}
	for i := range list {
		if list[i].Reason == reason {
			list[i].Count += n
			return list
		}
	}
	return append(list, stream.Refusal{Reason: reason, Message: message, Count: n})
}

// RefusedCount is how many records a list is about.
func RefusedCount(list []stream.Refusal) (n int) {
	for _, f := range list {
		n += f.Count
	}
	return n
}
