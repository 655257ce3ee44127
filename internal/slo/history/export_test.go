package history

// Again has all history read again, as it is when that is due.
func (h *History) Again() {
	if h.Begun() {
		h.rescan(h.sealed)
		h.backoff = 0
	}
}
