package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/probe"
)

// buildProbes asks services from outside whether they answer.
func (c *cell) buildProbes(context.Context) (err error) {
	version := c.opts.Version
	if version == "" {
		version = "unknown"
	}
	if c.prober, err = probe.New(c.cfg.Probes, probe.Deps{
		Logger: c.component("probe"), Registerer: c.registry, Appendable: c.samples.For("probe"),
		UserAgent: "Signalbox/" + version + " (synthetic probe)", Self: c.addresses.Web, Outgoing: c.outgoing,
	}); err != nil {
		return err
	}
	c.prober.Join(c.force)
	if err := c.firstLoad(c.prober.Reload(c.cfg.ProbeFiles)); err != nil {
		return err
	}
	c.run("probes", c.prober.Run, nil)
	return nil
}
