package promwrite

import (
	"encoding/binary"
	"math"

	"github.com/gogo/protobuf/proto"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/signalbox-project/signalbox/internal/access"
)

// request is a decoded request: its series in order, those that are known with
// nothing but their samples.
type request struct {
	items    []item
	points   []point // of the known series
	symbols  []string
	metadata []prompb.MetricMetadata
}

// item is one series of a request. One of known, v1 and v2 is set.
type item struct {
	known    *known
	from, to int // of points
	key      key
	keyed    bool // key stands for the labels
	v1       *prompb.TimeSeries
	v2       *writev2.TimeSeries
}

type point struct {
	st, t int64
	v     float64
}

// walker finds known series in a request without making anything of its bytes
// but numbers. It gives up on whatever it does not expect; then the whole
// request is decoded as it was before there were walkers, which also finds what is wrong with it.
type walker struct {
	known *knownSeries
	seed  uint64
	v2    bool
	request

	raw     [][]byte // v2: the symbols and their hashes
	hashes  []xxh3.Uint128
	series  [][]byte
	scratch []byte
}

// begin readies a walker for a request of a sender to a tenant.
func (w *walker) begin(known *knownSeries, tenant string, scope access.Scope) {
	w.known, w.seed, w.v2 = known, known.seedFor(tenant, scope), false
}

// putBack keeps a walker for the next request, without what it refers to.
func (h *Handler) putBack(w *walker) {
	if cap(w.points)*24+cap(w.items)*80 > maxKept {
		return
	}
	w.reset()
	h.walkers.Put(w)
}

func (w *walker) reset() {
	clear(w.items)
	clear(w.raw)
	clear(w.series)
	w.items, w.points, w.symbols, w.metadata = w.items[:0], w.points[:0], nil, nil
	w.raw, w.hashes, w.series = w.raw[:0], w.hashes[:0], w.series[:0]
}

// decodeV1 reads a prometheus.WriteRequest. An error means that it is none.
func (w *walker) decodeV1(body []byte) error {
	if w.walkV1(body) {
		return nil
	}
	w.reset()
	var req prompb.WriteRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		return err
	}
	for i := range req.Timeseries {
		w.items = append(w.items, item{v1: &req.Timeseries[i]})
	}
	w.metadata = req.Metadata
	return nil
}

// decodeV2 reads an io.prometheus.write.v2.Request. An error means that it is none.
func (w *walker) decodeV2(body []byte) error {
	if w.walkV2(body) {
		return nil
	}
	w.reset()
	var req writev2.Request
	if err := proto.Unmarshal(body, &req); err != nil {
		return err
	}
	for i := range req.Timeseries {
		w.items = append(w.items, item{v2: &req.Timeseries[i]})
	}
	w.symbols = req.Symbols
	return nil
}

// Tags of the fields of the two versions: number << 3 | wire type.
const (
	v1Series, v1Metadata = 1<<3 | 2, 3<<3 | 2
	v2Symbols, v2Series  = 4<<3 | 2, 5<<3 | 2

	seriesLabels, seriesSamples, seriesMetadata = 1<<3 | 2, 2<<3 | 2, 5<<3 | 2
	sampleValue, sampleTime, sampleStart        = 1<<3 | 1, 2 << 3, 3 << 3
)

// field takes a field of bytes off b; tag is 0 where there is something else.
func field(b []byte) (tag byte, value, rest []byte) {
	if len(b) < 2 || b[0]&7 != 2 || b[0]&0x80 != 0 {
		return 0, nil, b
	}
	value, n := protowire.ConsumeBytes(b[1:])
	if n < 0 {
		return 0, nil, b
	}
	return b[0], value, b[1+n:]
}

// walkV1 reads a prometheus.WriteRequest; false when it holds something unexpected.
func (w *walker) walkV1(body []byte) bool {
	for len(body) > 0 {
		tag, value, rest := field(body)
		switch tag {
		case v1Series:
			if !w.seriesV1(value) {
				return false
			}
		case v1Metadata:
			var m prompb.MetricMetadata
			if m.Unmarshal(value) != nil {
				return false
			}
			w.metadata = append(w.metadata, m)
		default:
			return false
		}
		body = rest
	}
	return true
}

func (w *walker) seriesV1(b []byte) bool {
	rest := b
	for len(rest) > 0 && rest[0] == seriesLabels {
		tag, _, after := field(rest)
		if tag == 0 {
			return false
		}
		rest = after
	}
	it := item{key: xxh3.Hash128Seed(b[:len(b)-len(rest)], w.seed), keyed: true}
	if it.known = w.known.get(it.key); it.known != nil && w.samples(&it, rest) {
		w.items = append(w.items, it)
		return true
	}
	it.known, it.v1 = nil, &prompb.TimeSeries{}
	// Labels after samples are none that the key stands for.
	it.keyed = onlyAfter(rest, seriesLabels)
	w.items = append(w.items, it)
	return it.v1.Unmarshal(b) == nil
}

// onlyAfter reports whether no field of b has the tag.
func onlyAfter(b []byte, tag byte) bool {
	for len(b) > 0 {
		got, _, rest := field(b)
		if got == 0 || got == tag {
			return false
		}
		b = rest
	}
	return true
}

// samples reads fields that are samples only; false, with nothing taken, if there is another.
func (w *walker) samples(it *item, b []byte) bool {
	it.from = len(w.points)
	for len(b) > 0 {
		tag, value, rest := field(b)
		p, ok := sample(value)
		ok = ok && (w.v2 || p.st == 0)
		if tag != seriesSamples || !ok {
			w.points = w.points[:it.from]
			return false
		}
		w.points = append(w.points, p)
		b = rest
	}
	it.to = len(w.points)
	return it.to > it.from
}

// sample reads a Sample of either version; version 1 has no start.
func sample(b []byte) (p point, ok bool) {
	for len(b) > 0 {
		switch b[0] {
		case sampleValue:
			if len(b) < 9 {
				return p, false
			}
			p.v, b = math.Float64frombits(binary.LittleEndian.Uint64(b[1:])), b[9:]
		case sampleTime, sampleStart:
			v, n := protowire.ConsumeVarint(b[1:])
			if n < 0 {
				return p, false
			}
			if b[0] == sampleTime {
				p.t = int64(v) //nolint:gosec // int64 on the wire
			} else {
				p.st = int64(v) //nolint:gosec // int64 on the wire
			}
			b = b[1+n:]
		default:
			return p, false
		}
	}
	return p, true
}

// walkV2 reads an io.prometheus.write.v2.Request.
func (w *walker) walkV2(body []byte) bool {
	w.v2 = true
	for len(body) > 0 {
		tag, value, rest := field(body)
		switch tag {
		case v2Symbols:
			w.raw = append(w.raw, value)
			w.hashes = append(w.hashes, xxh3.Hash128Seed(value, w.seed))
		case v2Series:
			w.series = append(w.series, value)
		default:
			return false
		}
		body = rest
	}
	for _, s := range w.series {
		if !w.seriesV2(s) {
			return false
		}
	}
	return true
}

func (w *walker) seriesV2(b []byte) bool {
	var it item
	rest, ok := w.keyV2(&it, b)
	if ok {
		if it.known = w.known.get(it.key); it.known != nil && w.samples(&it, rest) {
			w.items = append(w.items, it)
			return true
		}
	}
	if w.symbols == nil {
		w.symbols = make([]string, len(w.raw))
		for i, s := range w.raw {
			w.symbols[i] = string(s)
		}
	}
	it.known, it.v2 = nil, &writev2.TimeSeries{}
	w.items = append(w.items, it)
	return it.v2.Unmarshal(b) == nil
}

// keyV2 makes the key of a series of the labels, which come first, and of the metadata, which comes last;
// rest is what stands between.
func (w *walker) keyV2(it *item, b []byte) (rest []byte, ok bool) {
	tag, refs, rest := field(b)
	if tag != seriesLabels {
		return b, false
	}
	w.scratch = w.scratch[:0]
	for len(refs) > 0 {
		ref, n := protowire.ConsumeVarint(refs)
		if n < 0 || !w.addSymbol(ref) {
			return b, false
		}
		refs = refs[n:]
	}
	between := rest
	for after := rest; len(after) > 0; {
		tag, value, next := field(after)
		switch tag {
		case seriesSamples:
		case seriesMetadata:
			if len(next) > 0 || !w.addMetadata(value) {
				return b, false
			}
			between = rest[:len(rest)-len(after)]
		default:
			return b, false
		}
		after = next
	}
	it.key, it.keyed = xxh3.Hash128Seed(w.scratch, w.seed), true
	return between, true
}

// addSymbol adds what stands for a symbol's bytes to the scratch.
func (w *walker) addSymbol(ref uint64) bool {
	if ref >= uint64(len(w.hashes)) {
		return false
	}
	h := w.hashes[ref]
	w.scratch = binary.LittleEndian.AppendUint64(w.scratch, h.Hi)
	w.scratch = binary.LittleEndian.AppendUint64(w.scratch, h.Lo)
	return true
}

// addMetadata adds the numbers of a Metadata, references as their symbols.
func (w *walker) addMetadata(b []byte) bool {
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b[1:])
		if b[0]&7 != 0 || n < 0 {
			return false
		}
		w.scratch = append(w.scratch, b[0])
		switch b[0] >> 3 {
		case 1:
			w.scratch = binary.LittleEndian.AppendUint64(w.scratch, v)
		case 3, 4:
			if !w.addSymbol(v) {
				return false
			}
		default:
			return false
		}
		b = b[1+n:]
	}
	return true
}
