package part

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Meta is what is known of a part without reading it.
type Meta struct {
	Signal  Signal
	ID      uint64
	Rows    int
	MinTime int64 // Unix ns (spans: of starts)
	MaxTime int64 // Unix ns, inclusive
	// MaxEnd is the latest end of a span, Unix ns; MaxTime for logs.
	MaxEnd int64
	// Size is the Parquet file's size in bytes.
	Size int64
	// Segments are the write-ahead log segments whose rows the part holds.
	Segments []uint64
	// Replaces names the parts that were merged into this one.
	Replaces []string
	// Tenants and Services are the distinct values of those columns; roll-ups
	// refer to them by position.
	Tenants  []string
	Services []string
	// Promoted are the attribute columns, by key.
	Promoted []Promoted
	// Fields are the attribute keys seen (records' and resources'), most frequent first.
	Fields []FieldCount
	Filtered
}

// Filtered is what is known of a part's block filters and of the texts that they stand for.
type Filtered struct {
	// Format is the version of the index. Filters of an older one than indexFormat hold other
	// words than are asked for today: searches go without them.
	Format uint8
	// Hashed names the fields whose FieldHash is in the block filters because their
	// column has no dictionary. Attributes in the JSON column are always hashed.
	Hashed []string
	// Escapes says that escape sequences stand in the texts that words come from, so that
	// what is stored there differs from what is seen (store.Visible).
	Escapes bool
	// Inner are the fields of spans' events and links (store.EachInner), sorted; with maxFields of
	// them, there may be more.
	Inner []string
}

// FieldCount is how often an attribute key stands in the rows, in their resources, events and links.
type FieldCount struct {
	Key   string
	Count int
}

// Rollup counts the rows of one minute, tenant, service and level (logs) or
// status (spans).
type Rollup struct {
	Minute  int64  // Unix minutes
	Tenant  uint32 // position in Meta.Tenants
	Service uint32 // position in Meta.Services
	Value   uint8  // model.Level or model.SpanStatus
	Count   uint32
}

// HasTenant reports whether rows of the tenant may be here; "" is any tenant.
func (m *Meta) HasTenant(tenant string) bool { return tenant == "" || contains(m.Tenants, tenant) }

// IsHashed reports whether a field's values are in the block filters as FieldHash(field, value).
// It is false for columns with a dictionary, which answers better.
func (m *Meta) IsHashed(field string) bool { return contains(m.Hashed, field) }

// PromotedKind is the kind of the attribute's own column; false if it has none.
func (m *Meta) PromotedKind(key string) (model.ValueKind, bool) {
	for _, p := range m.Promoted {
		if p.Key == key {
			return p.Kind, true
		}
	}
	return model.KindEmpty, false
}

// MayHaveInner reports whether events or links may have the field; "" stands for any.
func (m *Meta) MayHaveInner(field string) bool {
	if !m.KnowsWords() || len(m.Inner) >= maxFields || field == "" {
		return !m.KnowsWords() || len(m.Inner) > 0
	}
	for _, link := range [...]bool{false, true} {
		if own, ok := strings.CutPrefix(field, store.InnerPrefix(link)); ok && m.innerLeadsTo(own) {
			return true
		}
	}
	return m.innerLeadsTo(field)
}

// innerLeadsTo reports whether a key is the field or may be an object that holds it.
func (m *Meta) innerLeadsTo(field string) bool {
	for _, key := range m.Inner {
		if rest, ok := strings.CutPrefix(field, key); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// KnowsWords reports whether the block filters hold the words, and the attributes' values, that
// searches ask for today.
func (m *Meta) KnowsWords() bool { return m.Format >= indexFormat }

// Blocks is the number of blocks.
func (m *Meta) Blocks() int { return (m.Rows + BlockRows - 1) / BlockRows }

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
