package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/oncall"
)

// buildOnCall makes the schedules of people.
func (c *cell) buildOnCall(context.Context) (err error) {
	if c.oncall, err = oncall.New(oncall.Deps{Logger: c.component("on-call"), Registerer: c.registry, State: c.state}); err != nil {
		return err
	}
	c.oncall.Join(c.force)
	return c.firstLoad(c.oncall.Reload(c.cfg.OnCallFiles))
}
