package archtest

import (
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

const words = "internal/model"

// A word that one room says first, and others only after it, is that room's: internal/model holds
// those that have no such room. A contract of layer 1 (what is stored, sent or paged) speaks the model's
// words, because its engines and all who ask it must share them: so pages, decisions of the gate, their causes
// and remedies stay, though a room each makes them.
func TestTheModelHoldsOnlyWhatHasNoRoomOfItsOwn(t *testing.T) {
	p, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	model := p.units[words]
	said := map[types.Object]map[string]int{} // type of the model → rooms that say it, and their layer
	for folder, u := range p.units {
		room, layer, _ := layerOf(folder)
		if folder == words || !strings.HasPrefix(folder, "internal/") || u.forTests() {
			continue
		}
		for _, obj := range u.info.Uses {
			if name, ok := obj.(*types.TypeName); ok && name.Pkg() == model.pkg {
				if said[name] == nil {
					said[name] = map[string]int{}
				}
				said[name][room] = layer
			}
		}
	}
	kept := partsOfOthers(model)
	for name, rooms := range said {
		lowest := slices.Min(slices.Collect(maps.Values(rooms)))
		first := slices.DeleteFunc(slices.Sorted(maps.Keys(rooms)), func(r string) bool { return rooms[r] != lowest })
		if lowest > 1 && len(first) == 1 && !kept[name] && modelWords()[name.Name()] == "" {
			t.Errorf("model.%s is a word of %s: every other room that says it lies above and may import it from there", name.Name(), first[0])
		}
	}
}

// partsOfOthers are the types of a package that others of it are made of.
func partsOfOthers(u *unit) map[types.Object]bool {
	out := map[types.Object]bool{}
	for _, name := range u.pkg.Scope().Names() {
		s, ok := u.pkg.Scope().Lookup(name).Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		for f := range s.Fields() {
			if n := namedIn(f.Type()); n != nil {
				out[n.Obj()] = true
			}
		}
	}
	return out
}

// namedIn is the named type of a field: its own, or that of its elements.
func namedIn(t types.Type) *types.Named {
	for {
		switch x := types.Unalias(t).(type) {
		case *types.Named:
			return x
		case interface{ Elem() types.Type }:
			t = x.Elem()
		default:
			return nil
		}
	}
}
