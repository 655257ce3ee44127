package document

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Force is everything that a process has put into force, as one value: catalogs and values that
// share one are swapped together, or not at all. It is safe for concurrent use.
type Force struct {
	mu      sync.Mutex // one Commit at a time
	current atomic.Pointer[View]
}

// NewForce makes one in which nothing is in force.
func NewForce() *Force {
	f := &Force{}
	f.current.Store(&View{values: map[any]any{}})
	return f
}

// View is everything that is in force at one moment. What is read from one View belongs together.
type View struct{ values map[any]any }

// View answers what is in force now.
func (f *Force) View() *View { return f.current.Load() }

// Change is what a catalog or a value will have in force, prepared: nothing has changed yet.
type Change interface {
	// wrong is what is wrong with the files it was made of; Commit may be called all the same.
	wrong() error
	// apply has what runs take the value over. After an error of it or of another change of the
	// same Commit, undo has it take the one before.
	apply() error
	undo() error
	stage(values map[any]any)
	// done is called once the change is in force.
	done()
}

// Commit puts changes into force together. What runs takes each over in their order; if one cannot be,
// those before go back to what they had, nothing is in force that was not, and the error says why.
func (f *Force) Commit(changes ...Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range changes {
		if err := c.apply(); err != nil {
			errs := []error{err}
			// The one that failed may have gone half of its way.
			for _, before := range slices.Backward(changes[:i+1]) {
				if err := before.undo(); err != nil {
					errs = append(errs, fmt.Errorf("going back to what was in force: %w", err))
				}
			}
			return errors.Join(errs...)
		}
	}
	next := &View{values: maps.Clone(f.current.Load().values)}
	for _, c := range changes {
		c.stage(next.values)
	}
	f.current.Store(next)
	for _, c := range changes {
		c.done()
	}
	return nil
}

// Wrong is what is wrong with the files that changes were made of, one problem a line; nil without any.
func Wrong(changes ...Change) error {
	var errs []error
	for _, c := range changes {
		errs = append(errs, c.wrong())
	}
	return errors.Join(errs...)
}

// Value is one value in force that is made of no files of its own.
type Value[T any] struct {
	force *Force
	apply func(T) error // nil for one that nothing runs on
}

// NewValue makes a value of a Force with what stands first, of which apply was told already.
func NewValue[T any](f *Force, first T, apply func(T) error) *Value[T] {
	v := &Value[T]{force: f, apply: apply}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := maps.Clone(f.current.Load().values)
	next[v] = first
	f.current.Store(&View{values: next})
	return v
}

// Value is what is in force.
func (v *Value[T]) Value() T { return v.In(v.force.View()) }

// In is what was in force at the moment of a View.
func (v *Value[T]) In(view *View) T { return view.values[v].(T) }

// Prepare makes the change to another value.
func (v *Value[T]) Prepare(next T) Change { return &valueChange[T]{v, next} }

type valueChange[T any] struct {
	v    *Value[T]
	next T
}

func (c *valueChange[T]) wrong() error { return nil }

func (c *valueChange[T]) apply() error {
	if c.v.apply == nil {
		return nil
	}
	return c.v.apply(c.next)
}

func (c *valueChange[T]) undo() error {
	if c.v.apply == nil {
		return nil
	}
	return c.v.apply(c.v.Value())
}

func (c *valueChange[T]) stage(values map[any]any) { values[c.v] = c.next }
func (c *valueChange[T]) done()                    {}
