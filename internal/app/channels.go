package app

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify/channels"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
)

// buildChannels makes the channels that reach people, and the courier that delivers through them. A tenant has those of its own
// configuration: their secrets are nobody else's.
func (c *cell) buildChannels(context.Context) error {
	made, err := channels.Build(c.cfg.Channels, kind.Deps{Outgoing: c.outgoing, Now: time.Now, ExternalURL: c.external.String()})
	if err != nil {
		return err
	}
	c.courier, err = courier.New(courier.Deps{Logger: c.component("channels"), Registerer: c.registry, Tracer: c.tel.Tracer, Channels: made})
	return err
}
