package app

import (
	"github.com/signalbox-project/signalbox/internal/api/mcp"
	"github.com/signalbox-project/signalbox/internal/front"
)

// mountAgents gives agents tools that ask the same port as whoever they ask for.
func (p *Process) mountAgents(port *front.Port) error {
	server, err := mcp.New(mcp.Deps{Config: p.home.cfg.MCP, Version: p.opts.Version, Registerer: p.tel.Registry})
	if err != nil {
		return err
	}
	port.Mount(mcp.Path, server.Mount(port))
	return nil
}
