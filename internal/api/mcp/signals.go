package mcp

import "net/http"

type searchArgs struct {
	Query string `json:"query,omitempty" jsonschema:"filter: words and \"phrases\" match the text, field:value, field:>300ms, field:*, AND OR NOT ( ), /regex/. Example: service:edge level:error \"connection reset\". All if absent"`
	Start string `json:"start,omitempty" jsonschema:"from, such as now-1h, which it is if absent"`
	End   string `json:"end,omitempty" jsonschema:"until; now if absent"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many at most; 20 if absent"`
	Order string `json:"order,omitempty" jsonschema:"newest (if absent) or oldest"`
}

type countArgs struct {
	Query string `json:"query,omitempty" jsonschema:"filter, as for search_logs"`
	Field string `json:"field" jsonschema:"field whose values are counted, such as service, level or message"`
	Start string `json:"start,omitempty" jsonschema:"from, such as now-1h, which it is if absent"`
	End   string `json:"end,omitempty" jsonschema:"until; now if absent"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many values at most; 20 if absent"`
}

type fieldsArgs struct {
	Signal string `json:"signal" jsonschema:"logs or traces"`
	Query  string `json:"query,omitempty" jsonschema:"filter, as for search_logs"`
	Start  string `json:"start,omitempty" jsonschema:"from, such as now-1h, which it is if absent"`
	End    string `json:"end,omitempty" jsonschema:"until; now if absent"`
}

type queryArgs struct {
	Query string `json:"query" jsonschema:"PromQL"`
	Time  string `json:"time,omitempty" jsonschema:"evaluate then, such as now-1h; now if absent"`
}

type rangeArgs struct {
	Query string `json:"query" jsonschema:"PromQL"`
	Start string `json:"start,omitempty" jsonschema:"from; now-1h if absent"`
	End   string `json:"end,omitempty" jsonschema:"until; now if absent"`
	Step  string `json:"step,omitempty" jsonschema:"between points, such as 1m, which it is if absent"`
}

type matchArgs struct {
	Match string `json:"match,omitempty" jsonschema:"selector of series, such as {service=\"edge\"}; all if absent"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many at most; 200 if absent"`
}

type sqlArgs struct {
	Query string `json:"query" jsonschema:"one SELECT in DuckDB's SQL; sql_schema names the tables"`
	Limit int    `json:"limit,omitempty" jsonschema:"rows at most; 100 if absent"`
}

type noArgs struct{}

// signals adds the tools that read telemetry.
func (t tools) signals() {
	const search = "give a smaller limit, a narrower filter or a shorter time"
	add(t, about{name: "search_logs", title: "Search logs", text: "Log records that match a filter, with all their fields.", narrower: search},
		func(a searchArgs) (Question, error) {
			return get("/sb/v1/logs", "q", a.Query, "start", a.Start, "end", a.End, "limit", number(a.Limit, 20), "order", a.Order)
		})
	add(t, about{name: "count_logs", title: "Count logs by a field", text: "How many log records have which value of a field: cheaper than reading them.", narrower: search},
		func(a countArgs) (Question, error) {
			return get("/sb/v1/logs/values", "q", a.Query, "field", a.Field, "start", a.Start, "end", a.End, "limit", number(a.Limit, 20))
		})
	add(t, about{name: "list_fields", title: "Fields of logs or spans", text: "Which fields log records or spans have, for filters.", narrower: search},
		func(a fieldsArgs) (Question, error) {
			path := "/sb/v1/logs/fields"
			if a.Signal == "traces" {
				path = "/sb/v1/traces/fields"
			}
			return get(path, "q", a.Query, "start", a.Start, "end", a.End)
		})
	add(t, about{name: "search_traces", title: "Search traces", text: "Traces with spans that match a filter, such as service:edge status:error duration:>300ms.", narrower: search},
		func(a searchArgs) (Question, error) {
			return get("/sb/v1/traces", "q", a.Query, "start", a.Start, "end", a.End, "limit", number(a.Limit, 20), "order", a.Order)
		})
	add(t, about{name: "get_trace", title: "One trace", text: "All spans of a trace.", narrower: "it is a large trace: search_traces with trace_id:… and more of a filter"},
		func(a idArgs) (Question, error) { return get(below("/sb/v1/traces", a.ID, "")) })
	t.metrics()
	add(t, about{name: "sql", title: "Ask in SQL", text: "One read-only SELECT over logs, spans and views of state.", narrower: "select fewer columns or rows"},
		func(a sqlArgs) (Question, error) {
			limit := a.Limit
			if limit == 0 {
				limit = 100
			}
			return Question{Method: http.MethodPost, Path: "/sb/v1/sql", Body: map[string]any{"query": a.Query, "limit": limit}}, nil
		})
	add(t, about{name: "sql_schema", title: "Tables of SQL", text: "Tables and columns that sql may ask."},
		func(noArgs) (Question, error) { return get("/sb/v1/sql/schema") })
}

// metrics adds the tools that ask PromQL.
func (t tools) metrics() {
	const fewer = "sum over fewer labels, or ask for fewer series"
	add(t, about{name: "query_metrics", title: "PromQL at one moment", text: "Evaluate a PromQL expression at one moment.", narrower: fewer},
		func(a queryArgs) (Question, error) {
			at, err := t.moment(a.Time, "now")
			if err != nil {
				return Question{}, err
			}
			return get("/api/v1/query", "query", a.Query, "time", at)
		})
	add(t, about{name: "query_metrics_range", title: "PromQL over time", text: "Evaluate a PromQL expression at every step of a range.", narrower: fewer + ", or a longer step"},
		func(a rangeArgs) (Question, error) {
			start, err := t.moment(a.Start, "now-1h")
			if err != nil {
				return Question{}, err
			}
			end, err := t.moment(a.End, "now")
			if err != nil {
				return Question{}, err
			}
			step := a.Step
			if step == "" {
				step = "1m"
			}
			return get("/api/v1/query_range", "query", a.Query, "start", start, "end", end, "step", step)
		})
	add(t, about{name: "list_metrics", title: "Names of metrics", text: "Which metrics there are, for PromQL.", narrower: "give a selector or a smaller limit"},
		func(a matchArgs) (Question, error) {
			return get("/api/v1/label/__name__/values", "match[]", a.Match, "limit", number(a.Limit, 200))
		})
	add(t, about{name: "list_alerts", title: "Alerts", text: "Alerts that are active now, with what silences or inhibits them.", narrower: "give a matcher"},
		func(a alertsArgs) (Question, error) { return get("/api/v2/alerts", "filter", a.Matcher) })
}

type alertsArgs struct {
	Matcher string `json:"matcher,omitempty" jsonschema:"such as service=\"edge\"; all if absent"`
}
