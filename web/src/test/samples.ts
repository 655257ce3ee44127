import type { Attempt, Escalation, GateDecision, LogRecord, Page, PolicyRules, SLOStatus } from "~/api/types";

const at = "2026-11-21T14:00:00Z";

export function slo(change: Partial<SLOStatus>): SLOStatus {
  return {
    name: "edge-availability",
    display_name: "Edge availability",
    service: "edge",
    objective: 0.995,
    window: "28d",
    method: "occurrences",
    indicator: change.name?.includes("latency")
      ? "requests answered within 300 ms"
      : "requests answered without an error",
    queries: {
      error: 'sum(rate(errors{service="edge"}[$window])) / sum(rate(all{service="edge"}[$window]))',
    },
    budget: {
      allowed: 5000,
      bad: 2100,
      total: 1_000_000,
      used_ratio: 0.42,
      left_ratio: 0.58,
      minutes: 201.6,
      sli: 0.9979,
      coverage: 1,
    },
    burn: [
      { window: "6h", rate: 2, events: 900_000, coverage: 1 },
      { window: "1h", rate: 21.4, events: 150_000, coverage: 1 },
    ],
    state: "ok",
    reason: "Burning 21.4× over 1 h.",
    action: "Roll back to 2.4.0.",
    time: at,
    ...change,
  };
}

export function page(change: Partial<Page>): Page {
  return {
    id: "p1",
    dedup_key: "k",
    time: at,
    updated: at,
    status: "firing",
    severity: "critical",
    title: "Edge availability burns",
    summary: "2 % of requests fail.",
    service: "edge",
    receiver: "inbox",
    group_labels: { slo: "edge-availability" },
    alerts: [
      {
        fingerprint: "f",
        labels: { alertname: "SLOBurnRateFast", slo: "edge-availability" },
        annotations: {},
        starts_at: at,
        status: "firing",
      },
    ],
    deliveries: [{ channel: "inbox", time: at, status: "delivered", attempt: 1 }],
    ...change,
  };
}

export function decision(change: Partial<GateDecision>): GateDecision {
  return {
    id: "g1",
    time: at,
    request: { service: "edge", version: "2.4.2" },
    verdict: "block",
    summary: "Blocked: burn 21× over 1 h (limit 14×).",
    reasons: [
      {
        verdict: "block",
        rule: "burn_fast",
        slo: "edge-availability",
        message: "Burn 21× over 1 h.",
        cure: "Wait.",
      },
    ],
    evidence: [
      {
        slo: "edge-availability",
        name: "burn_rate_1h",
        query: "burn",
        window: "1h",
        value: 21.4,
        threshold: 14,
        events: 1000,
        coverage: 1,
        time: at,
      },
    ],
    ...change,
  };
}

export function log(change: Partial<LogRecord>): LogRecord {
  return {
    timestamp: at,
    level: "error",
    service: "edge",
    env: "prod",
    region: "eu-1",
    request_id: "",
    span_id: "",
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    tenant: "default",
    message: "connection reset",
    attributes: { "http.route": "/v1", status: 502, nested: { a: 1 } },
    ...change,
  };
}

export function policyRules(change: Partial<PolicyRules>): PolicyRules {
  return {
    burn_fast: { long: "1h", short: "5m", factor: 14 },
    burn_slow: { long: "6h", short: "30m", factor: 6 },
    caution_above: 0.5,
    hold_above: 0.75,
    freeze_at: 1,
    stale_after: "5m",
    min_coverage: 0.25,
    min_bad_events: 5,
    confidence: 0,
    open_pages: "off",
    page_severities: ["critical"],
    dependencies: "off",
    depends_on: [],
    ...change,
  };
}

/** Who is logged in, as GET /sb/v1/me answers a viewer. */
export const me = {
  subject: "user:ann",
  name: "Ann Lee",
  kind: "user",
  provider: "local",
  groups: ["signalbox:viewer"],
  tenant: "default",
  permissions: [
    {
      permission: "metrics.read",
      allows: "ask PromQL",
      allowed: true,
      namespaces: [],
      by: ["the group signalbox:viewer"],
    },
    { permission: "audit.read", allows: "search the audit log", allowed: false, namespaces: [], by: [] },
  ],
};

export function attempt(change: Partial<Attempt>): Attempt {
  return {
    kind: "page",
    to: "ada",
    channel: "ntfy",
    why: "step 1 of policy edge: on call by edge-primary",
    state: "delivered",
    due: at,
    at,
    tries: 1,
    round: 0,
    ...change,
  };
}

export function escalation(change: Partial<Escalation>): Escalation {
  return {
    page: "p1",
    summary: "It is P0, by the policy edge.",
    state: "paging",
    level: "P0",
    level_text: "pages at once",
    level_why: "severity=critical",
    policy: "edge",
    policy_why: "it is for the team edge",
    round: 0,
    next: "2026-11-21T14:15:00Z",
    notices: [],
    news: [],
    events: [],
    steps: [
      {
        number: 1,
        after: "0s",
        state: "begun",
        who: [{ target: "on call by edge-primary", person: "ada", by: ["ntfy"] }],
        attempts: [attempt({ receipt: "n-17" })],
      },
      {
        number: 2,
        after: "15m",
        state: "next",
        who: [{ target: "kim", person: "kim", by: ["ntfy", "sms after 2 m"] }],
        attempts: [],
      },
    ],
    ...change,
  };
}
