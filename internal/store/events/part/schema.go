package part

import (
	"fmt"
	"sort"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/signalbox-project/signalbox/internal/model"
)

// BlockRows is how many rows one filter, and one page of the message column, covers.
const BlockRows = 1024

// Signal says which kind of event a part holds.
type Signal uint8

// The signals.
const (
	Logs Signal = iota
	Spans
)

// String is the folder's and the SQL table's name.
func (s Signal) String() string {
	if s == Spans {
		return "spans"
	}
	return "logs"
}

// Column names, which are the SQL column names.
const (
	ColTimestamp     = "timestamp" // INT64 TIMESTAMP(ns, local), delta; a span's start
	ColLevel         = "level"     // text, dictionary: trace debug info warn error fatal or ""
	ColService       = "service"
	ColNamespace     = "namespace"
	ColEnv           = "env"
	ColRegion        = "region"
	ColVersion       = "version"
	ColInstance      = "instance"
	ColTenant        = "tenant"
	ColResource      = "resource"   // JSON object of the resource's further attributes, dictionary
	ColTraceID       = "trace_id"   // UUID; dictionary, or plain when most values are distinct
	ColSpanID        = "span_id"    // FIXED_LEN_BYTE_ARRAY(8), plain, no bloom (DuckDB would answer wrongly)
	ColRequestID     = "request_id" // text
	ColMessage       = "message"    // text, DELTA_LENGTH, zstd
	ColAttributes    = "attributes" // JSON object of the attributes without a column of their own
	ColParentSpanID  = "parent_span_id"
	ColName          = "name"
	ColKind          = "kind"   // internal server client producer consumer or ""
	ColStatus        = "status" // unset ok error
	ColStatusMessage = "status_message"
	ColTraceState    = "trace_state"
	ColScope         = "scope"
	ColDuration      = "duration_ns" // INT64
	ColEvents        = "events"      // JSON array
	ColLinks         = "links"       // JSON array

	// PromotedPrefix begins the names of promoted attribute columns:
	// attr.http.route holds the attribute http.route.
	PromotedPrefix = "attr."
)

// MaxPromoted bounds the attribute keys of a part with a column of their own.
const MaxPromoted = 64

// Promoted is an attribute key with an OPTIONAL column of its own. It holds the values of
// that kind; values of another kind (and the earlier ones of a doubled key) are in the JSON
// column. Column names differ also when case is ignored, as SQL demands.
type Promoted struct {
	Key  string
	Kind model.ValueKind // KindString, KindInt, KindFloat or KindBool
}

// Column is the Parquet column's name.
func (p Promoted) Column() string { return PromotedPrefix + p.Key }

func zstdFastest() *zstd.Codec { return &zstd.Codec{Level: zstd.SpeedFastest} }

// The shapes of column a schema is made of.
func dictText() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.String(), &parquet.RLEDictionary), zstdFastest())
}

func plainText() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray), zstdFastest())
}

func text(dict bool) parquet.Node {
	if dict {
		return dictText()
	}
	return plainText()
}

func spanID() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.Leaf(parquet.FixedLenByteArrayType(8)), &parquet.Plain), &parquet.Uncompressed)
}

func traceID(dict bool) parquet.Node {
	if dict {
		return parquet.Compressed(parquet.Encoded(parquet.UUID(), &parquet.RLEDictionary), &parquet.Uncompressed)
	}
	return parquet.Compressed(parquet.Encoded(parquet.UUID(), &parquet.Plain), &parquet.Uncompressed)
}

func timestamp() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.TimestampAdjusted(parquet.Nanosecond, false), &parquet.DeltaBinaryPacked), zstdFastest())
}

func duration() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked), zstdFastest())
}

func promotedNode(p Promoted, dict bool) parquet.Node {
	var n parquet.Node
	switch p.Kind {
	case model.KindInt:
		n = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
		if dict {
			n = parquet.Encoded(parquet.Int(64), &parquet.RLEDictionary)
		}
	case model.KindFloat:
		n = parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
	case model.KindBool:
		n = parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.Plain)
	default:
		n = parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray)
		if dict {
			n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		}
	}
	return parquet.Optional(parquet.Compressed(n, zstdFastest()))
}

// identityColumns are those of the resource, in both tables.
func identityColumns(g parquet.Group) {
	for _, name := range [...]string{ColService, ColNamespace, ColEnv, ColRegion, ColVersion, ColInstance, ColTenant, ColResource} {
		g[name] = dictText()
	}
}

// encodings says which columns are dictionaries in one part, by distinct count.
type encodings struct {
	traceID, requestID, attributes bool
	names, statusMessage           bool
	promoted                       map[string]bool
}

func logsSchema(enc encodings, promoted []Promoted) *parquet.Schema {
	g := parquet.Group{
		ColTimestamp: timestamp(), ColLevel: dictText(), ColTraceID: traceID(enc.traceID), ColSpanID: spanID(),
		ColRequestID: text(enc.requestID), ColMessage: plainText(), ColAttributes: text(enc.attributes),
	}
	identityColumns(g)
	for _, p := range promoted {
		g[p.Column()] = promotedNode(p, enc.promoted[p.Key])
	}
	return parquet.NewSchema("log", g)
}

func spansSchema(enc encodings, promoted []Promoted) *parquet.Schema {
	g := parquet.Group{
		ColTimestamp: timestamp(), ColDuration: duration(), ColTraceID: traceID(enc.traceID), ColSpanID: spanID(), ColParentSpanID: spanID(),
		ColName: text(enc.names), ColKind: dictText(), ColStatus: dictText(), ColStatusMessage: text(enc.statusMessage),
		ColTraceState: dictText(), ColScope: dictText(), ColAttributes: text(enc.attributes),
		ColEvents: plainText(), ColLinks: plainText(),
	}
	identityColumns(g)
	for _, p := range promoted {
		g[p.Column()] = promotedNode(p, enc.promoted[p.Key])
	}
	return parquet.NewSchema("span", g)
}

// promotedOf reads the promoted columns back from a file's schema.
func promotedOf(root *parquet.Column) ([]Promoted, error) {
	var out []Promoted
	for _, c := range root.Columns() {
		key, ok := strings.CutPrefix(c.Name(), PromotedPrefix)
		if !ok {
			continue
		}
		p := Promoted{Key: key}
		switch c.Type().Kind() {
		case parquet.ByteArray:
			p.Kind = model.KindString
		case parquet.Int64:
			p.Kind = model.KindInt
		case parquet.Double:
			p.Kind = model.KindFloat
		case parquet.Boolean:
			p.Kind = model.KindBool
		default:
			return nil, fmt.Errorf("column %s: unknown type %s", c.Name(), c.Type())
		}
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out, nil
}
