package otlp

import (
	"encoding/binary"
	"fmt"
)

// maxNesting is how deep attribute values may nest. Real telemetry stays below
// ten; the decoder needs about a kilobyte of stack per level and Go cannot recover from
// its 1 GB limit, so that 16 MB of brackets would end the process.
const maxNesting = 64

// msg is a message type of the OTLP protocol that can contain an AnyValue.
type msg uint8

const (
	msgNone msg = iota
	msgTraces
	msgLogs
	msgMetrics
	msgResourceSpans
	msgResourceLogs
	msgResourceMetrics
	msgScopeSpans
	msgScopeLogs
	msgScopeMetrics
	msgResource
	msgScope
	msgSpan
	msgSpanEvent
	msgSpanLink
	msgLogRecord
	msgMetric
	msgNumberPoints
	msgHistogramPoints
	msgExponentialPoints
	msgSummaryPoints
	msgNumberPoint
	msgHistogramPoint
	msgExponentialPoint
	msgSummaryPoint
	msgExemplar
	msgKeyValue
	msgAnyValue
	msgArray
	msgKeyValueList
	msgCount
)

// wireTable says, for each message type, which field holds which message.
type wireTable [msgCount][16]msg

// newWireTable is opentelemetry-proto v1.11's structure, as far as it leads to AnyValue.
func newWireTable() *wireTable {
	return &wireTable{
		msgTraces:            {1: msgResourceSpans},
		msgLogs:              {1: msgResourceLogs},
		msgMetrics:           {1: msgResourceMetrics},
		msgResourceSpans:     {1: msgResource, 2: msgScopeSpans},
		msgResourceLogs:      {1: msgResource, 2: msgScopeLogs},
		msgResourceMetrics:   {1: msgResource, 2: msgScopeMetrics},
		msgScopeSpans:        {1: msgScope, 2: msgSpan},
		msgScopeLogs:         {1: msgScope, 2: msgLogRecord},
		msgScopeMetrics:      {1: msgScope, 2: msgMetric},
		msgResource:          {1: msgKeyValue},
		msgScope:             {3: msgKeyValue},
		msgSpan:              {9: msgKeyValue, 11: msgSpanEvent, 13: msgSpanLink},
		msgSpanEvent:         {3: msgKeyValue},
		msgSpanLink:          {4: msgKeyValue},
		msgLogRecord:         {5: msgAnyValue, 6: msgKeyValue},
		msgMetric:            {5: msgNumberPoints, 7: msgNumberPoints, 9: msgHistogramPoints, 10: msgExponentialPoints, 11: msgSummaryPoints, 12: msgKeyValue},
		msgNumberPoints:      {1: msgNumberPoint},
		msgHistogramPoints:   {1: msgHistogramPoint},
		msgExponentialPoints: {1: msgExponentialPoint},
		msgSummaryPoints:     {1: msgSummaryPoint},
		msgNumberPoint:       {5: msgExemplar, 7: msgKeyValue},
		msgHistogramPoint:    {8: msgExemplar, 9: msgKeyValue},
		msgExponentialPoint:  {1: msgKeyValue, 11: msgExemplar},
		msgSummaryPoint:      {7: msgKeyValue},
		msgExemplar:          {7: msgKeyValue},
		msgKeyValue:          {2: msgAnyValue},
		msgAnyValue:          {5: msgArray, 6: msgKeyValueList},
		msgArray:             {1: msgAnyValue},
		msgKeyValueList:      {1: msgKeyValue},
	}
}

// check reports values nested too deep in the protobuf message buf, and wire
// groups, which OTLP does not have. Anything else that is wrong with it is the decoder's to find.
func (t *wireTable) check(kind msg, buf []byte, depth int) error {
	if kind == msgAnyValue {
		if depth++; depth > maxNesting {
			return fmt.Errorf("attribute values are nested deeper than %d", maxNesting)
		}
	}
	children := &t[kind]
	for len(buf) > 0 {
		tag, n := binary.Uvarint(buf)
		if n <= 0 {
			return nil
		}
		buf = buf[n:]
		switch tag & 7 {
		case 0:
			_, n = binary.Uvarint(buf)
			if n <= 0 {
				return nil
			}
		case 1:
			n = 8
		case 5:
			n = 4
		case 2:
			size, k := binary.Uvarint(buf)
			if k <= 0 || size > uint64(len(buf)-k) {
				return nil
			}
			if field := tag >> 3; field < 16 && children[field] != msgNone {
				if err := t.check(children[field], buf[k:k+int(size)], depth); err != nil {
					return err
				}
			}
			n = k + int(size)
		default:
			return fmt.Errorf("wire type %d is not part of OTLP", tag&7)
		}
		if n > len(buf) {
			return nil
		}
		buf = buf[n:]
	}
	return nil
}

// maxJSONNesting allows maxNesting values in OTLP's JSON form, where one value
// takes three brackets, and the message around them.
const maxJSONNesting = 3*maxNesting + 16

// jsonDepthExceeds reports whether the brackets of a JSON text nest deeper than limit.
func jsonDepthExceeds[T string | []byte](text T, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
