package part

import (
	"github.com/cespare/xxhash/v2"

	"github.com/signalbox-project/signalbox/internal/store"
)

const fnvPrime = 1099511628211

// FieldHash is what block filters hold for field=value, where value is the text form
// (model.Value.String), for a field without a dictionary in the part.
func FieldHash(field, value string) uint64 {
	return store.Mix(xxhash.Sum64String(field)*fnvPrime ^ xxhash.Sum64String(value))
}

// InnerWordHash is what block filters hold for a word of a span's event or link, h being the word's
// hash: another than for words of its name and status, so that the two are asked for apart.
func InnerWordHash(h uint64) uint64 { return store.Mix(h ^ fnvPrime) }

// TraceHash is what the trace filter holds for a trace id.
func TraceHash(id [16]byte) uint64 { return xxhash.Sum64(id[:]) }
