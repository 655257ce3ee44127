package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// oracle reads OTLP/JSON with protobuf's own parser. Its types are OTLP's with one
// difference: ids are strings, since OTLP has them in hex.
type oracle struct {
	real  protoreflect.Message // empty
	typed protoreflect.MessageDescriptor
	ours  *message
}

func oracles(t testing.TB) map[string]oracle {
	t.Helper()
	out := map[string]oracle{}
	for name, m := range map[string]proto.Message{
		"traces": &tracespb.ExportTraceServiceRequest{}, "logs": &logspb.ExportLogsServiceRequest{}, "metrics": &metricspb.ExportMetricsServiceRequest{},
	} {
		d := m.ProtoReflect().Descriptor()
		set := &descriptorpb.FileDescriptorSet{}
		withFiles(set, d.ParentFile(), map[string]bool{})
		files, err := protodesc.NewFiles(set)
		if err != nil {
			t.Fatal(err)
		}
		typed, err := files.FindDescriptorByName(d.FullName())
		if err != nil {
			t.Fatal(err)
		}
		out[name] = oracle{m.ProtoReflect(), typed.(protoreflect.MessageDescriptor), schema(d)}
	}
	return out
}

// withFiles adds a file and what it imports, ids as strings.
func withFiles(set *descriptorpb.FileDescriptorSet, f protoreflect.FileDescriptor, seen map[string]bool) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		withFiles(set, f.Imports().Get(i).FileDescriptor, seen)
	}
	p := protodesc.ToFileDescriptorProto(f)
	var adapt func([]*descriptorpb.DescriptorProto)
	adapt = func(messages []*descriptorpb.DescriptorProto) {
		for _, m := range messages {
			for _, field := range m.GetField() {
				switch field.GetName() {
				case "trace_id", "span_id", "parent_span_id":
					field.Type = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
				}
			}
			adapt(m.GetNestedType())
		}
	}
	adapt(p.GetMessageType())
	set.File = append(set.File, p)
}

func (o oracle) read(body []byte) (proto.Message, error) {
	m := dynamicpb.NewMessage(o.typed)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		return nil, err
	}
	out := o.real.New()
	copyMessage(out, m)
	return out.Interface(), nil
}

func copyMessage(to, from protoreflect.Message) {
	from.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		target := to.Descriptor().Fields().ByNumber(fd.Number())
		switch {
		case target.Kind() == protoreflect.BytesKind && fd.Kind() == protoreflect.StringKind:
			id, err := hex.DecodeString(v.String())
			if err != nil {
				id = []byte{0xff}
			}
			if len(id) > 0 {
				to.Set(target, protoreflect.ValueOfBytes(id))
			}
		case fd.IsList():
			list := to.Mutable(target).List()
			for i := range v.List().Len() {
				if fd.Message() == nil {
					list.Append(v.List().Get(i))
					continue
				}
				e := list.NewElement()
				copyMessage(e.Message(), v.List().Get(i).Message())
				list.Append(e)
			}
		case fd.Message() != nil:
			copyMessage(to.Mutable(target).Message(), v.Message())
		default:
			to.Set(target, v)
		}
		return true
	})
}

// compare fails where the two readers differ.
func (o oracle) compare(t testing.TB, body []byte) (accepted bool) {
	t.Helper()
	want, refused := o.read(body)
	encoded, _, err := encodeJSON(o.ours, body)
	switch {
	case refused != nil && err != nil:
		return false
	case refused != nil && milder(body, refused):
		return true
	case refused != nil:
		t.Fatalf("protobuf refuses it, we do not: %v\n%s", refused, body)
	case err != nil && (strings.Contains(err.Error(), errTooDeep.Error()) || !json.Valid(body)): // protobuf takes 0e for a number
		return false
	case err != nil:
		t.Fatalf("protobuf takes it, we do not: %v\n%s", err, body)
	}
	got := o.real.New().Interface()
	if err := proto.Unmarshal(encoded, got); err != nil {
		t.Fatalf("what was written is no protobuf: %v\n%s", err, body)
	}
	if !proto.Equal(want, got) {
		t.Fatalf("%s\nprotobuf reads %v\nwe read %v", body, want, got)
	}
	return true
}

// milder says that we take on purpose what protobuf refuses: texts that are no
// UTF-8, halves of surrogate pairs, a mark of byte order, several documents.
func milder(body []byte, refused error) bool {
	text := refused.Error()
	return !utf8.Valid(body) || strings.Contains(text, "invalid UTF-8") || strings.HasPrefix(string(body), "\ufeff") ||
		strings.Contains(strings.ToLower(string(body)), `\ud`) || several(body)
}

func several(body []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	var first, second json.RawMessage
	return dec.Decode(&first) == nil && dec.Decode(&second) == nil
}

// drawJSON writes a message, mostly as it should be.
func drawJSON(t *rapid.T, d protoreflect.MessageDescriptor, depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range rapid.IntRange(0, 4).Draw(t, "fields") {
		if i > 0 {
			b.WriteByte(',')
		}
		if rapid.IntRange(0, 30).Draw(t, "unknown") == 0 {
			fmt.Fprintf(&b, `"unknown":%s`, rapid.SampledFrom([]string{`[{"a":[1,null]}]`, `{}`, `"x"`, `1e999`, `null`}).Draw(t, "other"))
			continue
		}
		fd := d.Fields().Get(rapid.IntRange(0, d.Fields().Len()-1).Draw(t, "field"))
		name := rapid.SampledFrom([]string{fd.JSONName(), fd.JSONName(), string(fd.Name())}).Draw(t, "name")
		fmt.Fprintf(&b, ` "%s" : %s`, name, drawField(t, fd, depth))
	}
	b.WriteByte('}')
	return b.String()
}

func drawField(t *rapid.T, fd protoreflect.FieldDescriptor, depth int) string {
	if rapid.IntRange(0, 12).Draw(t, "null") == 0 {
		return "null"
	}
	if !fd.IsList() {
		return drawValue(t, fd, depth)
	}
	var list []string
	for range rapid.IntRange(0, 3).Draw(t, "elements") {
		list = append(list, drawValue(t, fd, depth))
	}
	return "[" + strings.Join(list, " , ") + "]"
}

var odd = []string{`null`, `{}`, `[]`, `""`, `"x"`, `true`, `1`, `"1"`, `1.5`, `-1`, `1e400`, `"NaN"`, `" 1"`, `"1 "`, `"01"`, `"0x1"`, `"+1"`, `1e-400`, `"true"`, `9223372036854775808`, `18446744073709551616`}

func drawValue(t *rapid.T, fd protoreflect.FieldDescriptor, depth int) string {
	if rapid.IntRange(0, 40).Draw(t, "odd") == 0 {
		return rapid.SampledFrom(odd).Draw(t, "value")
	}
	pool := func(values ...string) string { return rapid.SampledFrom(values).Draw(t, "value") }
	switch fd.Kind() {
	case protoreflect.MessageKind:
		if depth > 12 {
			return "{}"
		}
		return drawJSON(t, fd.Message(), depth+1)
	case protoreflect.StringKind:
		return pool(`"a"`, `"\u0061\n\"\/\\"`, `"é😀"`, `"\ud83d\ude00"`, `"0af7651916cd43dd8448eb211c80319c"`, `"B7AD6B7169203331"`, `""`, `"zz"`, `"\u0000"`)
	case protoreflect.BytesKind:
		return pool(`"AQI="`, `"AQI"`, `"-_8="`, `"+/8"`, `"-_8"`, `"+_8="`, `""`, `"A"`, `"AQI=="`, `"A Q"`, `"AQ\nI="`)
	case protoreflect.BoolKind:
		return pool("true", "false")
	case protoreflect.EnumKind:
		v := fd.Enum().Values()
		return pool("0", "1", "2", "2.0", "99", "2147483648", `"`+string(v.Get(v.Len()-1).Name())+`"`, `"NONE_SUCH"`)
	case protoreflect.DoubleKind:
		return pool("0", "-0", "1.5", `"1.5"`, "1e3", `"1E-3"`, `"NaN"`, `"Infinity"`, `"-Infinity"`, "1e308", "1e309", `"inf"`, "4.9e-324")
	}
	return pool("0", "7", `"7"`, "1e3", `"1e3"`, "10.0", "1.25e2", `"1.7e1"`, "-5", `"-5"`, "1.5", "1000e-3", "1e-1", "0e9999", "1e9999",
		"2147483647", "4294967295", "4294967296", "9223372036854775807", `"9223372036854775807"`, "18446744073709551615", `"-9223372036854775808"`, "-0")
}

// The reader of OTLP/JSON and protobuf's own take the same documents, with the same content.
func TestJSONIsReadAsProtobufReadsIt(t *testing.T) {
	for name, o := range oracles(t) {
		t.Run(name, func(t *testing.T) {
			taken, all := 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				body := drawJSON(rt, o.typed, 0)
				if rapid.IntRange(0, 20).Draw(rt, "cut") == 0 {
					body = body[:rapid.IntRange(0, len(body)).Draw(rt, "length")]
				}
				all++
				if o.compare(t, []byte(body)) {
					taken++
				}
			})
			if taken*10 < all {
				t.Errorf("only %d of %d documents were taken", taken, all)
			}
		})
	}
}

func FuzzJSON(f *testing.F) {
	names := []string{"traces", "logs", "metrics"}
	for i, body := range []string{
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","kind":"SPAN_KIND_SERVER","startTimeUnixNano":1e18}]}]}]}`,
		`{"resource_logs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"bytesValue":"-_8="}]}}}]}},"severityNumber":9}]}]}]}`,
		`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","histogram":{"dataPoints":[{"bucketCounts":["1",2],"explicitBounds":[1e2],"sum":null,"min":"NaN"}]}}]}]}]}`,
	} {
		f.Add(i, []byte(body))
	}
	all := oracles(f)
	f.Fuzz(func(t *testing.T, signal int, body []byte) {
		all[names[uint(signal)%3]].compare(t, body)
	})
}
