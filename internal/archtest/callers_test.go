package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// What is exported and nobody calls outside tests is kept up, read and reviewed for nothing.
// A method counts as called if an interface that its type implements has it, and somebody calls
// that; of interfaces from outside, their libraries do. Unwrap is looked for by errors,
// net/http and huma, each in its own form.
func TestWhatIsExportedHasACaller(t *testing.T) {
	p, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	called := p.called()
	for _, i := range p.interfaces() {
		p.callThrough(i, called)
	}
	excused := map[string]bool{}
	for folder, u := range p.units {
		if !strings.HasPrefix(folder, "internal/") || u.forTests() {
			continue
		}
		for _, f := range u.files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() || called[u.info.Defs[fn.Name]] || fn.Recv != nil && fn.Name.Name == "Unwrap" {
					continue
				}
				name := folder + "." + nameOf(fn)
				if uncalled()[name] != "" {
					excused[name] = true
					continue
				}
				t.Errorf("%s: %s has no caller outside tests: use it, remove it, or move it to the tests", p.fset.Position(fn.Pos()), nameOf(fn))
			}
		}
	}
	for name := range uncalled() {
		if !excused[name] {
			t.Errorf("exception for %s: it is gone or has a caller by now", name)
		}
	}
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiver(f) + "." + f.Name.Name
}

// forTests reports whether a package is a suite or a stand-in for tests of others.
func (u *unit) forTests() bool {
	return slices.ContainsFunc(u.pkg.Imports(), func(p *types.Package) bool { return p.Path() == "testing" })
}

// called are the functions and methods that are named in product code outside their own bodies.
func (p *program) called() map[types.Object]bool {
	out := map[types.Object]bool{}
	for _, u := range p.units {
		if u.forTests() {
			continue
		}
		bodies := u.bodies()
		for id, obj := range u.info.Uses {
			f, ok := obj.(*types.Func)
			if ok && !within(id.Pos(), bodies[f.Origin()]) {
				out[f.Origin()] = true
			}
		}
	}
	return out
}

func (u *unit) bodies() map[types.Object]*ast.FuncDecl {
	out := map[types.Object]*ast.FuncDecl{}
	for _, f := range u.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				out[u.info.Defs[fn.Name]] = fn
			}
		}
	}
	return out
}

func within(at token.Pos, f *ast.FuncDecl) bool { return f != nil && f.Pos() <= at && at < f.End() }

// contract is an interface; outside ones are called by their libraries.
type contract struct {
	*types.Interface
	own, generic, marker bool
}

// interfaces are those of the module, named or not, and those of the packages that it
// imports; errors has its own without names.
func (p *program) interfaces() []contract {
	var out []contract
	seen := map[*types.Package]bool{}
	for _, u := range p.units {
		for _, f := range u.files {
			ast.Inspect(f, func(n ast.Node) bool {
				if e, ok := n.(*ast.InterfaceType); ok {
					if i, ok := u.info.TypeOf(e).(*types.Interface); ok {
						out = append(out, contract{Interface: i, own: true, generic: generic(i), marker: marker(i)})
					}
				}
				return true
			})
		}
		for _, imported := range u.pkg.Imports() {
			if own := strings.HasPrefix(imported.Path(), module); !own && !seen[imported] {
				seen[imported] = true
				out = append(out, exportedInterfaces(imported)...)
			}
		}
	}
	out = append(out, contract{Interface: types.Universe.Lookup("error").Type().Underlying().(*types.Interface)})
	return append(out, unnamed()...)
}

func exportedInterfaces(p *types.Package) []contract {
	var out []contract
	for _, name := range p.Scope().Names() {
		if i, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Interface); ok && i.NumMethods() > 0 {
			out = append(out, contract{Interface: i})
		}
	}
	return out
}

// unnamed are the interfaces without a name in errors and encoding.
func unnamed() []contract {
	failure, text := types.Universe.Lookup("error").Type(), types.NewSlice(types.Typ[types.Byte])
	var out []contract
	for _, m := range []struct {
		name string
		sig  *types.Signature
	}{
		{"Is", signature([]types.Type{failure}, types.Typ[types.Bool])},
		{"As", signature([]types.Type{types.Universe.Lookup("any").Type()}, types.Typ[types.Bool])},
		{"MarshalText", signature(nil, text, failure)},
		{"UnmarshalText", signature([]types.Type{text}, failure)},
	} {
		out = append(out, contract{Interface: types.NewInterfaceType([]*types.Func{types.NewFunc(token.NoPos, nil, m.name, m.sig)}, nil).Complete()})
	}
	return out
}

func signature(in []types.Type, out ...types.Type) *types.Signature {
	tuple := func(list []types.Type) *types.Tuple {
		vars := make([]*types.Var, len(list))
		for i, t := range list {
			vars[i] = types.NewParam(token.NoPos, nil, "", t)
		}
		return types.NewTuple(vars...)
	}
	return types.NewSignatureType(nil, nil, nil, tuple(in), tuple(out), false)
}

// generic reports whether methods speak of a type parameter: what implements the interface is
// then known by names alone.
func generic(i *types.Interface) bool {
	for m := range i.Methods() {
		for v := range m.Signature().Params().Variables() {
			if mentionsParam(v.Type()) {
				return true
			}
		}
		for v := range m.Signature().Results().Variables() {
			if mentionsParam(v.Type()) {
				return true
			}
		}
	}
	return false
}

func mentionsParam(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Pointer:
		return mentionsParam(t.Elem())
	case *types.Slice:
		return mentionsParam(t.Elem())
	}
	return false
}

// marker reports whether a method is there to be had, not to be called: it takes and gives nothing.
func marker(i *types.Interface) bool {
	for m := range i.Methods() {
		if m.Name() != "Error" && m.Signature().Params().Len()+m.Signature().Results().Len() > 0 {
			return false
		}
	}
	return true
}

// callThrough marks the methods that are reached through an interface.
func (p *program) callThrough(i contract, called map[types.Object]bool) {
	var names []*types.Func
	for m := range i.Methods() {
		if !i.own || i.marker || called[m.Origin()] {
			names = append(names, m)
		}
	}
	if len(names) == 0 {
		return
	}
	for _, t := range p.types() {
		if byName := i.generic && hasAll(t, i.Interface); !byName && !types.Implements(t, i.Interface) {
			continue
		}
		for _, m := range names {
			if obj, _, _ := types.LookupFieldOrMethod(t, true, m.Pkg(), m.Name()); obj != nil {
				if f, ok := obj.(*types.Func); ok {
					called[f.Origin()] = true
				}
			}
		}
	}
}

func hasAll(t types.Type, i *types.Interface) bool {
	for m := range i.Methods() {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, m.Pkg(), m.Name()); obj == nil {
			return false
		}
	}
	return true
}

// ofAny is a generic type made concrete: its methods are found then as those of any other.
func ofAny(t *types.Named) types.Type {
	args := make([]types.Type, t.TypeParams().Len())
	for i := range args {
		args[i] = types.Universe.Lookup("any").Type()
	}
	if len(args) == 0 {
		return t
	}
	concrete, err := types.Instantiate(nil, t, args, false)
	if err != nil {
		return t
	}
	return concrete
}

// types are pointers to the named types of the module: their method sets hold everything.
func (p *program) types() []types.Type {
	if p.named != nil {
		return p.named
	}
	for _, u := range p.units {
		for _, obj := range u.info.Defs {
			name, ok := obj.(*types.TypeName)
			if !ok || name.IsAlias() {
				continue
			}
			if t, ok := name.Type().(*types.Named); ok && !types.IsInterface(t) {
				p.named = append(p.named, types.NewPointer(ofAny(t)))
			}
		}
	}
	return p.named
}
