package archive

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Widths. A quarter of an hour, because every time zone's midnight is on one.
const (
	SlotWidth   = 15 * time.Minute
	DayWidth    = 24 * time.Hour
	slotsADay   = int(DayWidth / SlotWidth)
	minutesADay = int(DayWidth / time.Minute)
	slotMinutes = int(SlotWidth / time.Minute)
)

// hotBurn is the burn rate from which minutes are kept one by one; so is
// every minute of which half was bad.
const hotBurn = 3

// day is what one SLO counted on one UTC day.
type day struct {
	slots [slotsADay]ledger.Cell
	hot   []hotMinute // in order
}

// hotMinute is a minute that spent a noteworthy part of the budget.
type hotMinute struct {
	minute int // of the day
	cell   ledger.Cell
}

// fold sums up a day's minutes for a SLO with an error budget.
func fold(cells []ledger.Cell, budget float64) day {
	var d day
	for i, c := range cells {
		if i >= minutesADay {
			break
		}
		d.slots[i/slotMinutes] = d.slots[i/slotMinutes].Add(c)
		if c.Total > 0 && c.Bad > 0 && (c.Bad >= hotBurn*budget*c.Total || 2*c.Bad >= c.Total) {
			d.hot = append(d.hot, hotMinute{i, c})
		}
	}
	return d
}

// minutes is how much of the day has data.
func (d *day) minutes() (sum float64) {
	for _, c := range d.slots {
		sum += c.Minutes
	}
	return sum
}

// dayFormat is the first byte of an encoded day; docs/formats has no page on
// it because it never leaves the state store.
const dayFormat = 1

// encode is the day in few bytes: counts are mostly whole numbers.
func (d *day) encode() []byte {
	b := []byte{dayFormat}
	cell := func(c ledger.Cell) {
		for _, v := range []float64{c.Bad, c.Total, c.Minutes} {
			b = appendValue(b, v)
		}
	}
	for _, c := range d.slots {
		cell(c)
	}
	b = binary.AppendUvarint(b, uint64(len(d.hot)))
	last := 0
	for _, h := range d.hot {
		b = binary.AppendUvarint(b, uint64(h.minute-last))
		last = h.minute
		cell(h.cell)
	}
	return s2.Encode(nil, b)
}

var errDamaged = errors.New("the day is damaged")

// maxEncoded bounds what is unpacked: a day of hot minutes whose values are no
// whole numbers.
const maxEncoded = 1 << 17

func decodeDay(text []byte) (d day, err error) {
	if n, err := s2.DecodedLen(text); err != nil || n > maxEncoded {
		return d, errDamaged
	}
	b, err := s2.Decode(nil, text)
	if err != nil || len(b) == 0 || b[0] != dayFormat {
		return d, errDamaged
	}
	r := dayReader{b: b[1:]}
	for i := range d.slots {
		d.slots[i] = r.cell()
	}
	n := r.uvarint()
	last := uint64(0)
	for i := uint64(0); i < n && !r.bad; i++ {
		last += r.uvarint()
		if last >= uint64(minutesADay) {
			return day{}, errDamaged
		}
		d.hot = append(d.hot, hotMinute{int(last), r.cell()})
	}
	if r.bad || len(r.b) > 0 {
		return day{}, errDamaged
	}
	return d, nil
}

// appendValue writes a number of at least 0: twice itself where it is whole, else 1 and its bits.
func appendValue(b []byte, v float64) []byte {
	if v >= 0 && v < 1<<53 && v == math.Trunc(v) {
		return binary.AppendUvarint(b, uint64(v)<<1)
	}
	return binary.LittleEndian.AppendUint64(append(b, 1), math.Float64bits(v))
}

type dayReader struct {
	b   []byte
	bad bool
}

func (r *dayReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *dayReader) value() float64 {
	v := r.uvarint()
	switch {
	case v&1 == 0:
		return float64(v >> 1)
	case v != 1 || len(r.b) < 8:
		r.bad, r.b = true, nil
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	if math.IsNaN(f) || math.IsInf(f, 0) { // below zero it may be: skew between counters evens out in sums
		r.bad = true
	}
	return f
}

func (r *dayReader) cell() ledger.Cell {
	return ledger.Cell{Bad: r.value(), Total: r.value(), Minutes: r.value()}
}
