package match

import (
	"math/bits"

	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// blockBits is a set of rows of one block.
type blockBits [part.BlockRows / 64]uint64

// firstRows is the set of the first n rows.
func firstRows(n int) (b blockBits) {
	for i := range b {
		switch {
		case n >= (i+1)*64:
			b[i] = ^uint64(0)
		case n > i*64:
			b[i] = 1<<(n-i*64) - 1
		}
	}
	return b
}

func (b *blockBits) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b *blockBits) set(i int)      { b[i/64] |= 1 << (i % 64) }

func (b *blockBits) empty() bool {
	var all uint64
	for _, w := range b {
		all |= w
	}
	return all == 0
}

func (b *blockBits) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b *blockBits) without(o *blockBits) {
	for i := range b {
		b[i] &^= o[i]
	}
}

func (b *blockBits) join(o *blockBits) {
	for i := range b {
		b[i] |= o[i]
	}
}

// each calls f for every row of the set in order.
func (b *blockBits) each(f func(i int)) {
	for w, word := range b {
		for word != 0 {
			f(w*64 + bits.TrailingZeros64(word))
			word &= word - 1
		}
	}
}

// keep drops the rows for which pass is false.
func (b *blockBits) keep(pass func(i int) bool) {
	for w, word := range b {
		for rest := word; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if !pass(w*64 + i) {
				word &^= 1 << i
			}
		}
		b[w] = word
	}
}
