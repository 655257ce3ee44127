package ask_test

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestHashIDPrintsTheCurrentHashFirst(t *testing.T) {
	server := clitest.Serve(t, 200, `{"hashes":["h1:aa:1","h1:bb:2"]}`)
	status, out, _ := run(t, "hash-id", "4711", "--server", server.URL)
	asked := server.Asked[0]
	if status != 0 || out != "h1:aa:1\nh1:bb:2\n" || asked.URL != "/sb/v1/identifiers" || asked.Body != `{"value":"4711"}` {
		t.Errorf("exit %d, %q, asked %+v", status, out, asked)
	}
	if status, _, _ := run(t, "hash-id", "--server", server.URL); status != 2 {
		t.Errorf("no value: exit %d, want 2", status)
	}
}
