package notify

import "context"

// Memory is what channels keep of what they sent, so that a message is changed when its page is, also after a restart. What is kept is
// found by the kind of channel, the address and the dedup key.
type Memory interface {
	// Remember keeps what is needed to find a message again, in place of what was kept before; "" forgets it.
	Remember(ctx context.Context, to Target, dedupKey, what string) error
	// Recall is what was kept last; "" is nothing.
	Recall(ctx context.Context, to Target, dedupKey string) (string, error)
}
