// Package mask holds what of logs and spans a caller does not see, and what stands instead.
//
// A rule names fields, or patterns in texts, and the permission that lifts it. For one caller the rules that are not lifted are a View.
// Whoever answers a caller under a View answers as if the store held what the View shows: every record, span, label and value goes
// through it, filters are evaluated on what it shows (Filter says what an engine may be asked instead), and a field that is masked
// as a whole cannot be asked for at all (Refusal). It reads and stores nothing and starts nothing. A nil View shows everything.
//
// In: the section `masking`, records and filters. Out: copies of records in which values are replaced; nothing that it is given is changed.
//
// Invariants: what replaces a value holds "[masked: NAME" and nothing of the value but what the rule shows of it; whether a
// value is there, or empty, is no secret, nor are the names of fields. A word of a masked text is one of the text itself or
// of a replacement (Filter rests on it), so that what is masked reaches to the bounds of its words.
//
// Start reading at Rule, then View.
package mask
