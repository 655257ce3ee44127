// Package mcp gives agents tools: who is on call, why was I paged, gate, SLOs, search, incidents, by the Model Context Protocol.
//
// Every tool asks one endpoint of the web port, as whoever asked for the tool, so that permissions, tenants, masks, limits and the audit
// log are those of the endpoint and are written nowhere else. It is served over HTTP without sessions, each request with its own
// credential, and over the standard streams by `signalbox mcp`, which asks a server as the login of the command line.
//
// In: a tool's name and arguments. Out: the endpoint's JSON. Invariants: tools that change something are offered only where the
// configuration says so; an answer too long to be read is refused with the way to a shorter one, never cut; what telemetry says is
// announced as data and not as instructions. Start reading at New, then tools.go.
package mcp
