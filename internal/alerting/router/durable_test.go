package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/client/silence"
	apimodels "github.com/prometheus/alertmanager/api/v2/models"

	"github.com/signalbox-project/signalbox/internal/notify"
)

func silenceOne(t *testing.T, f *fixture, service string) {
	t.Helper()
	name, no := "service", false
	text := "x"
	from, to := strfmt.DateTime(time.Now()), strfmt.DateTime(time.Now().Add(time.Hour))
	if _, err := f.api.Silence.PostSilences(silence.NewPostSilencesParams().WithSilence(&apimodels.PostableSilence{Silence: apimodels.Silence{
		Matchers: apimodels.Matchers{{Name: &name, Value: &service, IsRegex: &no}}, StartsAt: &from, EndsAt: &to, CreatedBy: &text, Comment: &text,
	}})); err != nil {
		t.Fatal(err)
	}
}

// The snapshot's own format has no checksum: an empty file is no silences, and a changed letter is
// another silence. The copy tells.
func TestDamagedSilencesAreRepairedFromTheirCopy(t *testing.T) {
	for what, damage := range map[string]func(path string) error{
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"missing": os.Remove,
		"another service, still well-formed": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, []byte(strings.Replace(string(b), "layout", "layouT", 1)), 0o600))
		},
		"a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			f := start(t, dir, "")
			silenceOne(t, f, "edge")
			silenceOne(t, f, "layout")
			f.stop()
			if err := damage(filepath.Join(dir, "alerting", silencesFile)); err != nil {
				t.Fatal(err)
			}
			f = start(t, dir, "")
			list, err := f.api.Silence.GetSilences(silence.NewGetSilencesParams())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, s := range list.Payload {
				got[*s.Matchers[0].Value] = true
			}
			if len(got) != 2 || !got["edge"] || !got["layout"] {
				t.Errorf("silences of %v", got)
			}
			if ps := f.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, "nothing is lost") {
				t.Errorf("problems %+v", ps)
			}
		})
	}
}

// Senders that come together are written together, each is on disk before its answer, and none
// waits behind every other one's write.
func TestManySendersShareTheWritesOfTheJournal(t *testing.T) {
	dir := t.TempDir()
	f := start(t, dir, "")
	const senders = 40
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			service := fmt.Sprint("s", i)
			if err := f.Send(context.Background(), burn("service", service)); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "alerting", alertsFile))
			if err != nil || !strings.Contains(string(text), `"`+service+`"`) {
				t.Errorf("%s was accepted before it was on disk (%v)", service, err)
			}
		})
	}
	wg.Wait()
}

func TestASenderThatGoesAwayDoesNotWaitForTheDisk(t *testing.T) {
	f := start(t, t.TempDir(), "")
	f.alerts.mu.Lock()
	f.alerts.writing = true // a write that hangs
	f.alerts.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Send(ctx, []notify.Alert{burn()}...); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it gave up", err)
	}
	f.alerts.mu.Lock()
	f.alerts.writing = false
	f.alerts.mu.Unlock()
}
