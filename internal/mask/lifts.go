package mask

import "github.com/signalbox-project/signalbox/internal/access"

// Lifts are the rules by name, each with the permission that lifts it.
func (r *Rules) Lifts() map[string]access.Permission {
	if r == nil {
		return nil
	}
	out := map[string]access.Permission{}
	for _, one := range r.rules {
		out[one.Name] = one.LiftedBy
	}
	return out
}
