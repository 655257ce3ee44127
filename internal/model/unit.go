package model

// EarliestNanos is 1973 in Unix nanoseconds: what is earlier was counted in another unit.
const EarliestNanos = 1e17

// UnitOf names the unit in which a time would lie in this century, which is not
// nanoseconds.
func UnitOf(t int64) string {
	switch {
	case 1e14 <= t && t < 1e16:
		return "probably microseconds"
	case 1e11 <= t && t < 1e13:
		return "probably milliseconds"
	case 1e8 <= t && t < 1e10:
		return "probably seconds"
	}
	return "perhaps a time since the start of a process"
}
