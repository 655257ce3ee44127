package access

import (
	"context"
	"testing"
)

func TestScope(t *testing.T) {
	for _, c := range []struct {
		name      string
		scope     Scope
		namespace string
		want      bool
	}{
		{"the zero value sees nothing", Scope{}, "pay", false},
		{"not even what has no namespace", Scope{}, "", false},
		{"all see what has none", Scope{All: true}, "", true},
		{"a named one", Scope{Names: []string{"pay"}}, "pay", true},
		{"another", Scope{Names: []string{"pay"}}, "trade", false},
		{"what has none", Scope{Names: []string{"pay"}}, "", false},
		{"an empty name is no namespace", Scope{Names: []string{""}}, "", false},
	} {
		if got := c.scope.Sees(c.namespace); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWorkOfTheProgramItselfSeesEverything(t *testing.T) {
	ctx := context.Background()
	if From(ctx) != nil || !ScopeOf(ctx).All || SubjectOf(ctx, "rule") != "rule" {
		t.Error("a context without access is the program's own")
	}
	Note(ctx, NoteQuery, "x") // says nothing, to nobody
	a := &Access{Identity: Identity{Subject: "user:ann", Kind: User}, Scope: Scope{Names: []string{"pay"}}, Notes: &Notes{}}
	ctx = With(ctx, a)
	Note(ctx, NoteRows, "3")
	Note(ctx, NoteRows, "4")
	if ScopeOf(ctx).All || SubjectOf(ctx, "ceo") != "user:ann" || a.Notes.All()[NoteRows] != "4" {
		t.Errorf("%+v %v", ScopeOf(ctx), a.Notes.All())
	}
	a.Kind = Nobody
	if SubjectOf(ctx, "ann") != "ann" {
		t.Error("with authentication off the claim is all there is")
	}
}

func TestEveryPermissionIsDescribedOnce(t *testing.T) {
	seen := map[Permission]bool{}
	for _, d := range Permissions() {
		if d.Allows == "" || seen[d.Permission] {
			t.Errorf("%s", d.Permission)
		}
		seen[d.Permission] = true
	}
	for _, p := range []Permission{Open, Anybody, Undeclared} {
		if seen[p] {
			t.Errorf("%q is no permission of a role", p)
		}
	}
}
