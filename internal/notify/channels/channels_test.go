package channels_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/notify/channels"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/webhook"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

func TestWhatIsSetIsMadeAndNothingElse(t *testing.T) {
	if made, err := channels.Build(channels.Config{}, kind.Deps{}); err != nil || len(made) != 0 {
		t.Error(made, err)
	}
	c := channels.Config{Webhook: &webhook.Config{Receivers: []webhook.Receiver{{Name: "a", URL: "https://a.example", Secret: secretfile.Key{File: "secret"}}}}}
	made, err := channels.Build(c, kind.Deps{})
	if err != nil || len(made) != 1 || made["webhook"] == nil || len(c.Validate()) != 0 {
		t.Error(made, err, c.Validate())
	}
	if files := c.Files(); !slices.ContainsFunc(files, func(f *string) bool { return *f == "secret" }) {
		t.Error(files)
	}
	c.Webhook.Receivers[0].Secret = secretfile.Key{}
	if errs := c.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "webhook.receivers[0].secret: ") {
		t.Error(errs)
	}
}
