package webhook_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/webhook"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

var update = flag.Bool("update", false, "write the generated files")

const (
	secret     = "s3cret/of+the=receiver"
	schemaFile = "../../../../docs/formats/webhook.schema.json"
)

func now() time.Time { return time.Unix(1_790_000_000, 0) }

func write(t *testing.T, text string) secretfile.Key {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return secretfile.Key{File: file}
}

// schema is that of the documentation.
func schema(t *testing.T) (huma.Registry, *huma.Schema) {
	t.Helper()
	reg := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	ref := reg.Schema(reflect.TypeFor[webhook.Payload](), true, "Payload")
	return reg, reg.SchemaFromRef(ref.Ref)
}

func TestTheDocumentedSchemaIsWhatIsSent(t *testing.T) {
	reg, _ := schema(t)
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Message of Signalbox's channel webhook", "$ref": "#/$defs/Payload", "$defs": reg.Map(),
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(schemaFile); err != nil || string(got) != string(text) {
		t.Errorf("%s is not what is sent: run the test with -update (%v)", schemaFile, err)
	}
}

func TestWebhook(t *testing.T) {
	reg, want := schema(t)
	path, key := "/hook/T0K3N", write(t, secret)
	channeltest.Run(t, channeltest.Case{
		New: func(t *testing.T, base string) notify.Channel {
			from := write(t, base+path)
			ch, err := webhook.New(&webhook.Config{Receivers: []webhook.Receiver{{Name: "ops", URLFrom: &from, Secret: key}}}, kind.Deps{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			return ch
		},
		To:      notify.Target{Channel: "webhook", Address: "ops", Person: "ada"},
		Secrets: []string{secret, path},
		Accept: func(r *http.Request, body []byte, m notify.Message) (string, error) {
			if r.Method != http.MethodPost || r.URL.Path != path || r.Header.Get("Content-Type") != "application/json" {
				return "", errors.New("another request")
			}
			if err := verify([]byte(secret), r.Header, body, now()); err != nil {
				return "", err
			}
			var p webhook.Payload
			var any map[string]any
			if err := errors.Join(json.Unmarshal(body, &p), json.Unmarshal(body, &any)); err != nil {
				return "", err
			}
			var found huma.ValidateResult
			huma.Validate(reg, want, huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, any, &found)
			if p.ID != r.Header.Get("X-Signalbox-Delivery") || p.DedupKey != m.DedupKey || p.Kind != string(m.Kind) || strings.ContainsAny(p.Title, "\n\x00\x1b") {
				return "", fmt.Errorf("%+v", p)
			}
			return "", errors.Join(found.Errors...)
		},
	})
}

func TestASecretThatCannotBeReadIsWorthAnotherTry(t *testing.T) {
	ch, err := webhook.New(&webhook.Config{Receivers: []webhook.Receiver{{Name: "ops", URL: "http://127.0.0.1:1/", Secret: secretfile.Key{Environment: "SB_TEST_NOT_SET"}}}}, kind.Deps{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ch.Send(t.Context(), notify.Message{To: notify.Target{Address: "ops"}})
	if err == nil || notify.IsRefused(err) || !strings.Contains(err.Error(), "SB_TEST_NOT_SET") {
		t.Error(err)
	}
	if _, err = ch.Send(t.Context(), notify.Message{To: notify.Target{Address: "https://evil.example"}}); !notify.IsRefused(err) {
		t.Error(err)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	key := secretfile.Key{File: "x"}
	for want, c := range map[string]webhook.Config{
		"receivers: must":              {},
		"receivers[0].name: must":      {Receivers: []webhook.Receiver{{URL: "https://a", Secret: key}}},
		"receivers[1].name: \"a\"":     {Receivers: []webhook.Receiver{{Name: "a", URL: "https://a", Secret: key}, {Name: "a", URL: "https://a", Secret: key}}},
		"receivers[0].url: needs":      {Receivers: []webhook.Receiver{{Name: "a", Secret: key}}},
		"receivers[0].url: must":       {Receivers: []webhook.Receiver{{Name: "a", URL: "https://u:hunter2@a", Secret: key}}},
		"receivers[0].url_from: needs": {Receivers: []webhook.Receiver{{Name: "a", URLFrom: &secretfile.Key{}, Secret: key}}},
		"receivers[0].secret: needs":   {Receivers: []webhook.Receiver{{Name: "a", URL: "https://a"}}},
	} {
		errs := c.Validate()
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) || strings.Contains(errs[0].Error(), "hunter2") {
			t.Errorf("got %v, want %s", errs, want)
		}
	}
}
