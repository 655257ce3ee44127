package api

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// connection is an answer that remembers the read deadline of its connection.
type connection struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// Bodies have arrived before the API is asked. A read deadline that it left on the connection would cancel the request of a
// client that waits for its answer: the server reads on for the client's end.
func TestNoEndpointLeavesADeadlineForReading(t *testing.T) {
	a := newAPI(t, filled())
	wild := regexp.MustCompile(`\{[^}]*\}`)
	bodies := 0
	for _, e := range a.Needs().List() {
		method, path, _ := strings.Cut(e.Pattern, " ")
		if strings.HasSuffix(path, "/logs/tail") { // it never ends
			continue
		}
		r := httptest.NewRequest(method, wild.ReplaceAllString(path, "x"), strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		c := &connection{ResponseRecorder: httptest.NewRecorder()}
		a.Handler().ServeHTTP(c, r)
		if !c.deadline.IsZero() {
			t.Errorf("%s ends the request in %s", e.Pattern, time.Until(c.deadline).Round(time.Second))
		}
		if method == "POST" || method == "PUT" {
			bodies++
		}
	}
	if bodies < 20 {
		t.Errorf("only %d endpoints take a body", bodies)
	}
}
