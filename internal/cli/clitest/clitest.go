// Package clitest runs commands as the binary does and stands in for the server that they ask.
//
// For tests only. Start reading at Run and Serve.
package clitest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// Run executes args on a binary that has these commands only.
func Run(t *testing.T, commands []*cobra.Command, args ...string) (status int, out, errOut string) {
	t.Helper()
	root := &cobra.Command{Use: "signalbox"}
	root.AddCommand(commands...)
	var stdout, stderr bytes.Buffer
	status = command.Run(t.Context(), root, args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// Request is what a server was asked for.
type Request struct {
	Method, URL, Body string
	Header            http.Header
}

// Server keeps what it was asked for.
type Server struct {
	*httptest.Server
	Asked []Request
}

// Serve starts a server that answers with a status and one body after the other, the last
// again and again, until the test ends.
func Serve(t *testing.T, status int, bodies ...string) *Server {
	t.Helper()
	s := &Server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.Asked = append(s.Asked, Request{Method: r.Method, URL: r.URL.String(), Body: string(text), Header: r.Header})
		w.WriteHeader(status)
		if n := min(len(s.Asked), len(bodies)); n > 0 {
			_, _ = io.WriteString(w, bodies[n-1])
		}
	}))
	t.Cleanup(s.Close)
	return s
}
