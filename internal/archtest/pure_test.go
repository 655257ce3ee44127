package archtest

import (
	"go/ast"
	"slices"
	"strconv"
	"testing"
)

// pureRooms are arithmetic: the same input has the same output, now and in a replay.
func pureRooms() []string {
	return []string{"internal/budget", "internal/slo/judgement", "internal/auth/review"}
}

// Without these packages nothing can be read, waited for, or shared; without time.Now there is no clock.
func TestPureRoomsReadNothingAndHaveNoClock(t *testing.T) {
	impure := []string{"bufio", "context", "io", "log/slog", "net", "net/http", "os", "sync", "sync/atomic"}
	clock := []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}
	for _, s := range sources(t) {
		if s.Test || !slices.Contains(pureRooms(), s.Pkg) {
			continue
		}
		for _, i := range s.File.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); slices.Contains(impure, path) {
				t.Errorf("%s imports %s: the room %s is arithmetic", s.Path, path, s.Pkg)
			}
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && root(sel.X) != nil && root(sel.X).Name == "time" && slices.Contains(clock, sel.Sel.Name) {
				t.Errorf("%s calls time.%s: the room %s is told the time", s.Path, sel.Sel.Name, s.Pkg)
			}
			return true
		})
	}
}
