package state

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// A version that took any link may have left some.
func TestALinkThatIsAScriptIsNotRead(t *testing.T) {
	s := openIn(t, t.TempDir())
	for i, link := range []string{"javascript:alert(1)", "https://ci.example/7"} {
		if _, err := s.AddDeploy(t.Context(), model.Deploy{Time: time.Unix(int64(100+i), 0), Service: "edge", Version: "1", Kind: "deploy", Status: "succeeded", Link: link}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Deploys(t.Context(), store.DeployQuery{Start: time.Unix(0, 0), End: time.Unix(1000, 0)})
	if err != nil || len(got) != 2 || got[0].Link != "https://ci.example/7" || got[1].Link != "" {
		t.Errorf("%+v %v", got, err)
	}
}
