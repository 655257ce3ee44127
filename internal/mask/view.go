package mask

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Rules are what a configuration masks. They are immutable; a nil Rules masks nothing.
type Rules struct {
	cfg   Config
	key   Key
	rules []*rule
	all   *View // for whom nothing is lifted
}

// New prepares a section that is valid; without a rule there are no Rules.
func New(cfg Config, key Key) (*Rules, error) {
	if len(cfg.Rules) == 0 {
		return nil, nil //nolint:nilnil // a nil Rules works
	}
	out := &Rules{cfg: cfg, key: key}
	for i, r := range cfg.Rules {
		made, err := newRule(r, key)
		if err != nil {
			return nil, fmt.Errorf("masking.rules[%d].%w", i, err)
		}
		out.rules = append(out.rules, made)
	}
	out.all = out.view(make([]access.Scope, len(out.rules)), access.Scope{All: true})
	return out, nil
}

// ForAll is what is shown where it cannot be known who looks: of what Signalbox makes of records for everybody, as the labels of metrics.
func (r *Rules) ForAll() *View {
	if r == nil {
		return nil
	}
	return r.all
}

// For is what the caller of ctx is shown: nil where that is everything, as for work of Signalbox itself. The audit log is told what is lifted.
func (r *Rules) For(ctx context.Context) *View {
	a := access.From(ctx)
	if r == nil || a == nil {
		return nil
	}
	lifted := make([]access.Scope, len(r.rules))
	var names []string
	for i, one := range r.rules {
		if lifted[i] = liftedFor(a, one.LiftedBy); !lifted[i].None() {
			names = append(names, one.Name)
		}
	}
	if len(names) > 0 {
		access.Note(ctx, access.NoteUnmasked, strings.Join(names, ", "))
	}
	return r.view(lifted, a.Scope)
}

// liftedFor is the namespaces in which somebody sees what a permission lifts.
func liftedFor(a *access.Access, p access.Permission) access.Scope {
	switch {
	case a.Of != nil:
		return a.Of(p)
	case a.Unmasked && p == access.UnmaskedRead, a.Kind == access.Nobody:
		return access.Scope{All: true}
	}
	return access.Scope{}
}

// view leaves out the rules that are lifted in all that is visible.
func (r *Rules) view(lifted []access.Scope, visible access.Scope) *View {
	v := &View{of: r, lifted: lifted, sets: map[uint64]*set{}}
	var all []*rule
	for i, one := range r.rules {
		if s := lifted[i]; s.All || !visible.All && len(visible.Within(s).Names) == len(visible.Names) {
			continue
		}
		v.bits |= 1 << i
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil
	}
	v.all = newSet(all)
	v.sets[v.bits] = v.all
	return v
}

// View is what one caller is shown. It is safe for concurrent use; a nil View shows everything.
type View struct {
	of     *Rules
	lifted []access.Scope // by rule
	bits   uint64         // the rules that are not lifted everywhere
	all    *set           // of those

	mu   sync.Mutex
	sets map[uint64]*set
}

// in is the rules that apply to what belongs to a namespace; nil for none.
func (v *View) in(namespace string) *set {
	bits := v.bits
	for i, s := range v.lifted {
		if bits&(1<<i) != 0 && s.Sees(namespace) {
			bits &^= 1 << i
		}
	}
	if bits == v.bits || bits == 0 {
		if bits == 0 {
			return nil
		}
		return v.all
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.sets[bits]
	if !ok {
		var rules []*rule
		for i, r := range v.of.rules {
			if bits&(1<<i) != 0 {
				rules = append(rules, r)
			}
		}
		s = newSet(rules)
		v.sets[bits] = s
	}
	return s
}

// Sealed is a View that goes to another process.
type Sealed struct {
	Config  Config
	Key     Key
	Lifted  []access.Scope
	Visible access.Scope
}

// Seal writes a view down; nil for one that shows everything.
func (v *View) Seal() *Sealed {
	if v == nil {
		return nil
	}
	return &Sealed{Config: v.of.cfg, Key: v.of.key, Lifted: v.lifted, Visible: access.Scope{All: true}}
}

// Open is the view again.
func (s *Sealed) Open() (*View, error) {
	if s == nil {
		return nil, nil //nolint:nilnil // a nil View works
	}
	r, err := New(s.Config, s.Key)
	if err != nil || r == nil {
		return nil, err
	}
	return r.view(s.Lifted, s.Visible), nil
}
