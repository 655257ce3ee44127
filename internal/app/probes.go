package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/probe"
)

// buildProbes asks services from outside whether they answer.
func (p *Process) buildProbes(context.Context) (err error) {
	version := p.opts.Version
	if version == "" {
		version = "unknown"
	}
	if p.prober, err = probe.New(p.cfg.Probes, probe.Deps{
		Logger: p.component("probe"), Registerer: p.tel.Registry, Appendable: p.samples.For("probe"),
		UserAgent: "Signalbox/" + version + " (synthetic probe)", Self: p.addresses.Web,
	}); err != nil {
		return err
	}
	p.prober.Join(p.force)
	if err := p.firstLoad(p.prober.Reload(p.cfg.ProbeFiles)); err != nil {
		return err
	}
	p.run("probes", p.prober.Run, nil)
	return nil
}
