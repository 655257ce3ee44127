package twilio

// Segments is how a text is counted.
func Segments(s string) int { return segments(s) }

// Signature is how a request is signed.
var Signature = signature
