package app

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Of what logs say no file of any tenant's event store knows, while it is asked by search and SQL, and after a stop.
func TestAnEncryptedEventStoreShowsNoTextOnTheDisk(t *testing.T) {
	const marker = "Zq7xWv3kR9"
	dir := t.TempDir()
	const tenants = "tenants: [{name: acme}]\nsql: {encrypted_bytes: 1048576}\n"
	begin := func(config string) *running {
		files(t, dir, map[string]string{"a.key": sealKey(0), "signalbox.yml": tenants + config})
		return startIn(t, dir, nil, func(o *Options) { o.ConfigFile = filepath.Join(dir, "signalbox.yml") })
	}
	const on = "events: {encrypt: true}\nseal: {keys: [{file: a.key}]}\n"
	r := begin(on)
	for _, tenant := range []string{"default", "acme"} {
		if status, answer := r.as(t, tenant, "POST", "/v1/logs", logRequest(time.Now(), marker)); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
	}
	asked := func(r *running, when string) {
		t.Helper()
		for _, tenant := range []string{"default", "acme"} {
			if _, text := r.as(t, tenant, "GET", "/sb/v1/logs?start=now-1h", ""); !strings.Contains(text, marker) {
				t.Errorf("%s, %s: search: %s", when, tenant, text)
			}
			if status, text := r.as(t, tenant, "POST", "/sb/v1/sql", `{"query":"SELECT message FROM logs WHERE timestamp > ago(INTERVAL 1 HOUR)"}`); !strings.Contains(text, marker) {
				t.Errorf("%s, %s: SQL: %d %s", when, tenant, status, text)
			}
		}
	}
	holding := func() (out []string) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || d.Name() == "SPARE" {
				return err
			}
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte(marker)) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return out
	}
	asked(r, "in memory")
	if err := r.home.events.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked(r, "sealed")
	r.stop()
	if found := holding(); len(found) > 0 {
		t.Errorf("the text is in %v", found)
	}

	for config, want := range map[string]string{
		"": "nor is any: name it in seal.keys", "events: {encrypt: true}\n": "events.encrypt: needs a key",
		"events: {encrypt: true}\nseal: {keys: [{file: a.key}], undo: true}\n": "contradicts seal.undo",
		"storage: {encrypt: true}\n": "storage.encrypt: needs a key", "storage: {encrypt: true}\nseal: {keys: [{file: a.key}], undo: true}\n": "contradicts seal.undo",
	} {
		files(t, dir, map[string]string{"signalbox.yml": tenants + config})
		o := options(t, dir)
		o.ConfigFile = filepath.Join(dir, "signalbox.yml")
		p, err := Build(t.Context(), o)
		if err == nil {
			_ = p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", config, err, want)
		}
	}

	r = begin("seal: {keys: [{file: a.key}]}\n") // switched off: read all the same, and named until it is written anew
	asked(r, "switched off")
	until(t, "written anew", func() bool { return len(r.home.events.Encryption()) == 0 })
	r.stop()
	if found := holding(); len(found) == 0 {
		t.Error("switched off, and the text is nowhere: the test sees nothing")
	}
}
