package front

import "sync"

// budget bounds the bytes of bodies. Of several tenants each has a part that no other can take; the other half is
// there for whoever needs it.
type budget struct {
	limit int64

	mu       sync.Mutex
	reserved int64 // for one tenant
	sum      int64
	common   int64 // what tenants hold beyond what is reserved for them
	tenants  map[string]int64
}

func newBudget(limit int64, tenants int) *budget {
	b := &budget{limit: limit, tenants: map[string]int64{}}
	b.share(tenants)
	return b
}

// share reserves a part for each of so many tenants.
func (b *budget) share(tenants int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reserved = 0; tenants > 1 {
		b.reserved = b.limit / 2 / int64(tenants)
	}
	b.common = 0
	for name := range b.tenants {
		b.common += b.beyond(name)
	}
}

func (b *budget) beyond(tenant string) int64 { return max(0, b.tenants[tenant]-b.reserved) }

func (b *budget) take(tenant string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := b.limit
	if b.reserved > 0 {
		most /= 2
	}
	also := max(0, b.tenants[tenant]+n-b.reserved) - b.beyond(tenant)
	if also > 0 && b.common+also > most {
		return false
	}
	b.add(tenant, n)
	return true
}

func (b *budget) give(tenant string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(tenant, -n)
}

func (b *budget) add(tenant string, n int64) {
	b.common -= b.beyond(tenant)
	b.sum += n
	b.tenants[tenant] += n
	b.common += b.beyond(tenant)
	if b.tenants[tenant] == 0 {
		delete(b.tenants, tenant)
	}
}

// held is what all hold.
func (b *budget) held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sum
}
