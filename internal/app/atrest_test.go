package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/config"
)

// What the status says of encryption follows what is set, part by part, and names no more than is so.
func TestTheStatusSaysWhatEncryptsEachPart(t *testing.T) {
	const keys = "seal: {keys: [{file: a.key}]}\n"
	for text, want := range map[string]string{
		"":                                  "samples: events: state: secrets:",
		keys:                                "samples: events: state: secrets:seal.keys",
		keys + "events: {encrypt: true}\n":  "samples: events:events.encrypt state: secrets:seal.keys",
		keys + "storage: {encrypt: true}\n": "samples:storage.encrypt events:storage.encrypt state:storage.encrypt secrets:storage.encrypt,seal.keys",
		keys + "storage: {encrypt: true}\nevents: {encrypt: true}\n": "samples:storage.encrypt events:storage.encrypt,events.encrypt state:storage.encrypt secrets:storage.encrypt,seal.keys",
		"seal: {keys: [{file: a.key}], undo: true}\n":                "samples: events: state: secrets:",
	} {
		dir := t.TempDir()
		files(t, dir, map[string]string{"a.key": sealKey(0), "signalbox.yml": text})
		cfg, err := config.Load(dir + "/signalbox.yml")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, shown(atRest(cfg, cfg.Events.Encrypt, false))); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	left := atRest(config.Config{}, true, true)
	for _, one := range left {
		if one.Partly != (one.Part == "events") {
			t.Errorf("of %s some is left: %v", one.Part, one.Partly)
		}
	}
}

func shown(all []api.AtRest) string {
	var out []string
	for _, one := range all {
		out = append(out, one.Part+":"+strings.Join(one.By, ","))
	}
	return strings.Join(out, " ")
}
