package channels_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/notify/channels"
)

// Every configuration of the documentation is one, and every kind has a section and an example there.
func TestTheDocumentationsChannelsAreValid(t *testing.T) {
	text, err := os.ReadFile("../../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		example, _, _ := strings.Cut(part, "```")
		if !strings.HasPrefix(example, "channels:") {
			continue
		}
		path := filepath.Join(t.TempDir(), "signalbox.yml")
		if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := config.Load(path)
		if err != nil {
			t.Fatalf("%v in\n%s", err, example)
		}
		set := reflect.ValueOf(file.Channels)
		for i := range set.NumField() {
			if !set.Field(i).IsZero() {
				shown = append(shown, set.Type().Field(i).Tag.Get("yaml"))
			}
		}
	}
	kinds := reflect.TypeFor[channels.Config]()
	for i := range kinds.NumField() {
		name := kinds.Field(i).Tag.Get("yaml")
		if !slices.Contains(shown, name) || !strings.Contains(string(text), "\n## "+name+"\n") {
			t.Errorf("%s has no example or no section in docs/channels.md", name)
		}
	}
}
