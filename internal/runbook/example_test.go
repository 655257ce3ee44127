package runbook

import "testing"

// The runbooks of the example are read without a word.
func TestTheExamplesAreRead(t *testing.T) {
	books, problems := Load([]string{"../../examples/broker/runbooks/*.md"})
	if len(problems) > 0 || len(books) < 20 {
		t.Errorf("%d runbooks, %v", len(books), problems)
	}
}
