package wire

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// message is a message type of OTLP with what its readers need to know of it.
type message struct {
	name     protoreflect.Name
	byNumber [32]*field // none of OTLP's fields has a higher number
	byName   map[string]*field
	ids      bool // it has fields that are ids
	checked  bool // it, or something in it, is to be inspected: ids or nested values
}

// field is a field of a message.
type field struct {
	name   string // in JSON
	number protoreflect.FieldNumber
	kind   protoreflect.Kind
	list   bool
	id     int // length of a trace or span id, which JSON has in hex; else 0
	oneof  int // 1 + the index of the group of which one may be set
	msg    *message
	enum   protoreflect.EnumValueDescriptors
}

// schema makes the types that a message type leads to, of protobuf's descriptors.
func schema(d protoreflect.MessageDescriptor) *message {
	known := map[protoreflect.FullName]*message{}
	root := learn(d, known)
	for again := true; again; { // types refer to each other in circles
		again = false
		for _, m := range known {
			again = m.check() || again
		}
	}
	return root
}

func learn(d protoreflect.MessageDescriptor, known map[protoreflect.FullName]*message) *message {
	if m := known[d.FullName()]; m != nil {
		return m
	}
	m := &message{name: d.Name(), byName: map[string]*field{}}
	known[d.FullName()] = m
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := &field{name: fd.JSONName(), number: fd.Number(), kind: fd.Kind(), list: fd.IsList(), id: idSize(fd)}
		if o := fd.ContainingOneof(); o != nil {
			f.oneof = o.Index() + 1
		}
		if fd.Message() != nil {
			f.msg = learn(fd.Message(), known)
		}
		if fd.Enum() != nil {
			f.enum = fd.Enum().Values()
		}
		m.ids = m.ids || f.id != 0
		m.byNumber[f.number] = f
		m.byName[f.name], m.byName[string(fd.Name())] = f, f
	}
	m.checked = m.ids || d.Name() == anyValue
	return m
}

const anyValue = "AnyValue"

func idSize(fd protoreflect.FieldDescriptor) int {
	switch {
	case fd.Kind() != protoreflect.BytesKind:
		return 0
	case fd.Name() == "trace_id":
		return 16
	case fd.Name() == "span_id", fd.Name() == "parent_span_id":
		return 8
	}
	return 0
}

// check reports whether it found out that a type is to be inspected.
func (m *message) check() bool {
	if m.checked {
		return false
	}
	for _, f := range m.byNumber {
		if f != nil && f.msg != nil && f.msg.checked {
			m.checked = true
			return true
		}
	}
	return false
}
