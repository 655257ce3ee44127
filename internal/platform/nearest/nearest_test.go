package nearest_test

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

func TestName(t *testing.T) {
	names := []string{"rule_files", "slo_files", "scrape_configs", "otlp"}
	for _, tc := range []struct{ name, given, want string }{
		{"a letter is missing", "rule_file", "rule_files"},
		{"letters are swapped", "scarpe_configs", "scrape_configs"},
		{"a short name may differ by one", "otpl", ""},
		{"a short name with one letter off", "otlq", "otlp"},
		{"nothing is close", "database", ""},
		{"the empty name is close to nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := nearest.Name(tc.given, names); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
