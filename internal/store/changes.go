package store

import (
	"time"

	"github.com/cespare/xxhash/v2"
)

// ChangedHour is an hour of the past that samples came into, or were deleted from, when those who count samples had read it.
type ChangedHour struct {
	Start time.Time
	Names *MetricNames // of the metrics
}

// Change is a number of changed hours. A later one has a greater number, in the next run as well.
type Change struct {
	Number uint64
	Hours  []ChangedHour
}

// MetricNames are names of metrics, of which is known only which are surely not among them: so many
// take no more room than a few. The zero value has none.
type MetricNames struct{ bits [nameBits / 64]uint64 }

// nameBits is how large that is: with a thousand names one in eight of the others is taken for one of them, which costs a
// reading that was not needed.
const nameBits = 8192

// Add adds a name.
func (n *MetricNames) Add(name string) {
	k := xxhash.Sum64String(name) % nameBits
	n.bits[k/64] |= 1 << (k % 64)
}

// AddAll adds every name there is.
func (n *MetricNames) AddAll() {
	for i := range n.bits {
		n.bits[i] = ^uint64(0)
	}
}

// Merge adds the names of others, and reports whether any is new.
func (n *MetricNames) Merge(others *MetricNames) (news bool) {
	for i, b := range others.bits {
		news = news || b&^n.bits[i] != 0
		n.bits[i] |= b
	}
	return news
}

// May reports whether a name may be among them.
func (n *MetricNames) May(name string) bool {
	k := xxhash.Sum64String(name) % nameBits
	return n.bits[k/64]&(1<<(k%64)) != 0
}

// Words is what they are made of, for who keeps them.
func (n *MetricNames) Words() []uint64 { return n.bits[:] }
