package cli

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// An agent that starts the command asks the server by its tools, and the command ends when the agent leaves.
func TestAnAgentAsksAServerOverTheStandardStreams(t *testing.T) {
	server := clitest.Serve(t, 200, `{"schedules":[{"name":"primary"}]}`)
	in, toCommand := io.Pipe()
	fromCommand, out := io.Pipe()
	cmd := New("1.2.3")
	cmd.SetIn(in)
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- command.Run(t.Context(), cmd, []string{"mcp", "--server", server.URL, "--tenant", "t1"}, out, &errOut)
		_ = out.Close()
	}()
	lines := bufio.NewScanner(fromCommand)
	say := func(message string) string {
		if _, err := io.WriteString(toCommand, message+"\n"); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(message, `"id"`) {
			return ""
		}
		lines.Scan()
		return lines.Text()
	}
	if got := say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`); !strings.Contains(got, "1.2.3") {
		t.Errorf("it introduced itself with %s", got)
	}
	say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	if got := say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"who_is_on_call","arguments":{"at":"now+8h"}}}`); !strings.Contains(got, `\"primary\"`) {
		t.Errorf("the agent read %s", got)
	}
	_ = toCommand.Close()
	if status := <-done; status != 0 {
		t.Errorf("exit %d: %s", status, errOut.String())
	}
	if len(server.Asked) != 1 || server.Asked[0].URL != "/sb/v1/oncall?at=now%2B8h" || server.Asked[0].Header.Get("X-Scope-OrgID") != "t1" {
		t.Errorf("the server was asked %+v", server.Asked)
	}
}
