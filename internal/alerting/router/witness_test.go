package router

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/mirror"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// openState is the product's state store, in a folder beside the router's.
func openState(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: filepath.Join(dir, "state")}, state.Deps{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Whatever file of the alert state is deleted together with its copy: the next start names it and what it held.
func TestAFileThatIsGoneWithItsCopyIsNamed(t *testing.T) {
	for name, says := range map[string]string{
		silencesFile: "it held 2 silences, the last of which was to end at ",
		logFile:      "notified once more",
		alertsFile:   "known again",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			docs := openState(t, dir)
			with := func(d *Deps) { d.Documents = docs }
			f := start(t, dir, "", with)
			silenceOne(t, f, "edge")
			silenceOne(t, f, "layout")
			if err := f.Send(context.Background(), burn("service", "search")); err != nil {
				t.Fatal(err)
			}
			f.pages.await(t, "made of the alert", func(p model.Page) bool { return p.Status == "firing" })
			f.stop()
			path := filepath.Join(dir, "alerting", name)
			if err := errors.Join(os.Remove(path), os.Remove(path+mirror.CopyExt)); err != nil {
				t.Fatal(err)
			}
			f = start(t, dir, "", with)
			if ps := f.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Message, name) || !strings.Contains(ps[0].Message, says) {
				t.Errorf("problems %+v", ps)
			}
			f.stop()
			if f = start(t, dir, "", with); len(f.Problems()) != 0 {
				t.Errorf("it is named again when it is there: %+v", f.Problems())
			}
		})
	}
}

// What was never written, or held nothing that is still in force, is not missed.
func TestNothingIsMissedThatWasNotThere(t *testing.T) {
	dir := t.TempDir()
	docs := openState(t, dir)
	with := func(d *Deps) { d.Documents = docs }
	f := start(t, dir, "", with)
	if ps := f.Problems(); len(ps) != 0 {
		t.Errorf("the first start: %+v", ps)
	}
	f.stop()
	path := filepath.Join(dir, "alerting", silencesFile)
	if err := errors.Join(os.Remove(path), os.Remove(path+mirror.CopyExt)); err != nil {
		t.Fatal(err)
	}
	if f = start(t, dir, "", with); len(f.Problems()) != 0 {
		t.Errorf("no silence was lost: %+v", f.Problems())
	}
	silenceOne(t, f, "edge")
	w := &witness{docs: docs, log: f.log, last: map[string]store.Document{}}
	gone := filepath.Join(t.TempDir(), silencesFile)
	for after, lost := range map[time.Duration]bool{0: true, 2 * time.Hour: false} { // it ends in one hour
		if found, err := w.missing(gone, time.Now().Add(after)); err != nil || (found != nil) != lost {
			t.Errorf("after %s: %+v, %v", after, found, err)
		}
	}
}

// A state store that cannot be written holds up no silence.
func TestASilenceStandsWhenNobodyCanWitnessIt(t *testing.T) {
	dir := t.TempDir()
	f := start(t, dir, "", func(d *Deps) { d.Documents = brokenDocuments{} })
	silenceOne(t, f, "edge")
	f.stop()
	f = start(t, dir, "", func(d *Deps) { d.Documents = brokenDocuments{} })
	if n := inForce(f.silences).Silences; n != 1 {
		t.Errorf("%d silences", n)
	}
}

type brokenDocuments struct{ store.DocumentStore }

func (brokenDocuments) SaveDocuments(context.Context, ...store.Document) ([]store.Document, error) {
	return nil, errors.New("the disk is gone")
}

func (brokenDocuments) Document(context.Context, string, string) (store.Document, error) {
	return store.Document{}, errors.New("the disk is gone")
}
