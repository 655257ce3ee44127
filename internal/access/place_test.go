package access

import (
	"strings"
	"testing"
)

func TestWhereWhatIsSentBelongs(t *testing.T) {
	for _, c := range []struct {
		name       string
		scope      Scope
		said, want string
		ok         bool
	}{
		{"who sees all writes everywhere", Scope{All: true}, "pay", "pay", true},
		{"and what has none stays without", Scope{All: true}, "", "", true},
		{"one's own", Scope{Names: []string{"pay", "trade"}}, "pay", "pay", true},
		{"another's", Scope{Names: []string{"pay"}}, "trade", "trade", false},
		{"the only one is meant", Scope{Names: []string{"pay"}}, "", "pay", true},
		{"of two none is meant", Scope{Names: []string{"pay", "trade"}}, "", "", false},
		{"no namespace at all", Scope{}, "", "", false},
		{"nor any", Scope{}, "pay", "pay", false},
	} {
		got, ok := c.scope.Place(c.said)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %q %v", c.name, got, ok)
		}
		if text := c.scope.RefusedSending(c.said); !strings.Contains(text, c.scope.Text()) {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// What is remembered of one sender must not be taken for another's.
func TestKeysTellScopesApart(t *testing.T) {
	seen := map[string]Scope{}
	for _, s := range []Scope{{All: true}, {}, {Names: []string{"a"}}, {Names: []string{"a", "b"}}, {Names: []string{"ab"}}} {
		if before, ok := seen[s.Key()]; ok {
			t.Errorf("%+v and %+v have one key", before, s)
		}
		seen[s.Key()] = s
	}
}
