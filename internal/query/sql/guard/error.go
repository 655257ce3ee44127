package guard

// Error is a fault of the query, to be shown to who wrote it.
type Error struct {
	Message string
	At      int    // byte offset in the query, -1 if unknown
	Advice  string // what to do instead, may be empty
	Kind    string // what kind of fault, for the metric; "" means bad
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Position is the byte offset in the query, -1 if unknown.
func (e *Error) Position() int { return e.At }

// Hint is advice, may be empty.
func (e *Error) Hint() string { return e.Advice }

// Refused is the fault of a query that asks for what it may not have.
func Refused(at int, message string) *Error { return &Error{Message: message, At: at, Kind: "refused"} }
