package promwrite

// ForgetKnown has every series take the long way again.
func (h *Handler) ForgetKnown() { h.known = newKnownSeries() }

// Known counts the series that are known.
func (h *Handler) Known() (n int) {
	for i := range h.known.shards {
		n += len(h.known.shards[i].young)
	}
	return n
}
