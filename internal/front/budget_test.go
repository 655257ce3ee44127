package front

import "testing"

func TestATenantThatFillsTheBodiesLeavesOthersTheirPart(t *testing.T) {
	for _, tenants := range []int{2, 3, 10} {
		b := newBudget(1<<20, tenants)
		part := int64(1<<20) / 2 / int64(tenants)
		flooded := int64(0)
		for b.take("acme", 1<<10) {
			flooded += 1 << 10
		}
		if least := int64(1<<19) + part - 1<<10; flooded < least {
			t.Errorf("%d tenants: one alone gets %d, want at least %d", tenants, flooded, least)
		}
		names := []string{"b", "c", "d", "e", "f", "g", "h", "i", "j"}[:tenants-1]
		for _, name := range names {
			if !b.take(name, part) {
				t.Errorf("%d tenants: %s does not get its part while acme has all the rest", tenants, name)
			}
		}
		if held := b.held(); held > 1<<20 {
			t.Errorf("%d tenants hold %d", tenants, held)
		}
		b.give("acme", flooded)
		if !b.take("b", 1<<19) {
			t.Error("what acme gave back is not there for others")
		}
		b.give("b", part+1<<19)
		for _, name := range names[1:] {
			b.give(name, part)
		}
		if b.held() != 0 || b.common != 0 || len(b.tenants) != 0 {
			t.Errorf("something stays: %+v", b)
		}
	}
	if alone := newBudget(1<<20, 1); !alone.take("", 1<<20) || alone.take("", 1) {
		t.Error("one tenant alone has all, and no more")
	}
}

// Tenants that come and go while bodies are held change what is reserved, and nothing is lost of what is held.
func TestTenantsThatComeAndGoShareAnew(t *testing.T) {
	b := newBudget(1<<20, 2)
	for b.take("acme", 1<<10) {
	}
	flooded := b.held()
	b.share(4)
	for _, name := range []string{"b", "c", "d"} {
		if !b.take(name, 1<<17) {
			t.Errorf("%s does not get its part", name)
		}
		b.give(name, 1<<17)
	}
	b.share(1)
	b.give("acme", flooded)
	if b.held() != 0 || b.common != 0 || !b.take("acme", 1<<20) {
		t.Errorf("something stays: %+v", b)
	}
}
