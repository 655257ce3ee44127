package openslo

// RoundTrip is what differs once documents were written and read again.
var RoundTrip = roundTrip

// Forms are the texts of small documents of every form, by what they are.
func Forms() map[string]string {
	out := map[string]string{}
	for _, f := range forms {
		out[f.name] = f.text
	}
	return out
}
