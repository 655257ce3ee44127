package mcp

type windowArgs struct {
	Start string `json:"start,omitempty" jsonschema:"from, such as now-1h, which it is if absent"`
	End   string `json:"end,omitempty" jsonschema:"until; now if absent"`
}

type serviceArgs struct {
	Name string `json:"name" jsonschema:"of the service"`
	windowArgs
}

type deploysArgs struct {
	Service     string `json:"service,omitempty" jsonschema:"of one service"`
	Environment string `json:"environment,omitempty" jsonschema:"of one environment"`
	Start       string `json:"start,omitempty" jsonschema:"from, such as now-1d"`
	End         string `json:"end,omitempty" jsonschema:"until; now if absent"`
	Limit       int    `json:"limit,omitempty" jsonschema:"how many at most; 20 if absent"`
}

type slosArgs struct {
	Service string `json:"service,omitempty" jsonschema:"of one service; all if absent"`
}

type decisionsArgs struct {
	Service string `json:"service,omitempty" jsonschema:"about one service"`
	Verdict string `json:"verdict,omitempty" jsonschema:"allow, hold, block or insufficient"`
	Limit   int    `json:"limit,omitempty" jsonschema:"how many at most; 10 if absent"`
}

// services adds the tools about what runs, what it promised and what was deployed.
func (t tools) services() {
	add(t, about{name: "list_services", title: "Services", text: "All services with rate, errors, latency and health in a time.", narrower: "ask get_service for one"},
		func(a windowArgs) (Question, error) { return get("/sb/v1/services", "start", a.Start, "end", a.End) })
	add(t, about{name: "get_service", title: "One service", text: "One service: golden signals, versions, dependencies, SLOs.", narrower: "give a shorter time"},
		func(a serviceArgs) (Question, error) {
			return get(below("/sb/v1/services", a.Name, ""), "start", a.Start, "end", a.End)
		})
	add(t, about{name: "get_service_owner", title: "Whose a service is", text: "A service's owner, tier, contact, links, runbooks, dependencies, and what it lacks."},
		func(a nameArgs) (Question, error) { return get(below("/sb/v1/catalog", a.Name, "")) })
	add(t, about{name: "find_causes", title: "What causes the failures", text: "What caused what fails now, by the calls between services, with evidence.", narrower: "ask get_service for one service"},
		func(noArgs) (Question, error) { return get("/sb/v1/causes") })
	add(t, about{name: "list_deploys", title: "Deployments", text: "What was deployed, when and by whom. The newest first.", narrower: "give a smaller limit"},
		func(a deploysArgs) (Question, error) {
			return get("/sb/v1/deploys", "service", a.Service, "environment", a.Environment, "start", a.Start, "end", a.End, "limit", number(a.Limit, 20))
		})
	add(t, about{name: "list_slos", title: "SLOs", text: "How every SLO stands: objective, error budget left, burn rates, state. The worst first.", narrower: "name a service"},
		func(a slosArgs) (Question, error) { return get("/sb/v1/slos", "service", a.Service) })
	add(t, about{name: "get_slo", title: "One SLO", text: "How one SLO stands, with its groups and alerts."},
		func(a nameArgs) (Question, error) { return get(below("/sb/v1/slos", a.Name, "")) })
	add(t, about{name: "gate_decisions", title: "Decisions of the gate", text: "What the deployment gate decided, with the evidence. The newest first.", narrower: "give a smaller limit"},
		func(a decisionsArgs) (Question, error) {
			return get("/sb/v1/gate/decisions", "service", a.Service, "verdict", a.Verdict, "limit", number(a.Limit, 10))
		})
	add(t, about{name: "gate_policies", title: "Policies of the gate", text: "The error budget policies by which the gate decides, and what they mean for each SLO now.", narrower: "read gate_decisions instead"},
		func(noArgs) (Question, error) { return get("/sb/v1/gate/policies") })
}
