/** A small made-up fleet for developing the pages without a server. Deterministic but for the clock. */

export const services = ["edge", "layout", "access-control", "deployment", "file-server"];
const regions = ["eu-1", "us-2", "ap-1"];
const minute = 60_000;

export function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return (h >>> 0) / 2 ** 32;
}

const iso = (ms: number) => new Date(ms).toISOString();
const id = (seed: string, length: number) =>
  Array.from({ length }, (_, i) => Math.floor(hash(`${seed}:${i}`) * 16).toString(16)).join("");

/** Between 0 and 1: how bad the story is at a moment. A burst from 25 to 8 minutes ago. */
export function trouble(ms: number, now: number): number {
  const age = (now - ms) / minute;
  return age < 25 && age > 8 ? Math.min(1, (25 - age) / 3) : 0;
}

export function deploys(now: number) {
  const list = [
    { at: 8, service: "layout", version: "2.4.0", kind: "rollback", actor: "lena" },
    { at: 26, service: "layout", version: "2.4.1", kind: "deploy", actor: "ci" },
    { at: 190, service: "edge", version: "5.1.3", kind: "deploy", actor: "ci" },
    { at: 1600, service: "file-server", version: "1.9.0", kind: "deploy", actor: "ci" },
    { at: 4200, service: "edge", version: "5.1.2", kind: "deploy", actor: "ci" },
  ];
  return list.map(({ at, ...rest }) => ({
    ...rest,
    id: `d${at}`,
    time: iso(now - at * minute),
    environment: "prod",
    region: "eu-1",
    status: "succeeded",
    message: "",
  }));
}

const states = ["burning", "exhausted", "insufficient", "ok", "ok", "ok", "ok"] as const;
const names = [
  ["layout-latency", "Layout latency", "layout"],
  ["edge-availability", "Edge availability", "edge"],
  ["deployment-queue", "Deployment queue delay", "deployment"],
  ["access-control-availability", "Access Control availability", "access-control"],
  ["file-server-availability", "File Server availability", "file-server"],
  ["file-server-latency", "File Server latency", "file-server"],
  ["layout-availability", "Layout availability", "layout"],
] as const;

export function slos(now: number) {
  return names.map(([name, display, service], index) => {
    const state = states[index] ?? "ok";
    const bad = {
      burning: [0.61, 21.4, 6.3, 1.9],
      exhausted: [1.08, 0.8, 2.1, 3.4],
      insufficient: [0, 0, 0, 0],
      ok: [0.12 + index / 20, 0.3, 0.4, 0.5],
    }[state];
    const [used = 0, h1 = 0, h6 = 0, d3 = 0] = bad;
    const latency = name.includes("latency");
    const objective = latency ? 0.995 : 0.999;
    const total = 4_812_340;
    const error = `sum(rate(signalbox_span_duration_seconds_count{service="${service}",status="error"}[$window])) / sum(rate(signalbox_span_duration_seconds_count{service="${service}"}[$window]))`;
    return {
      name,
      display_name: display,
      service,
      objective,
      window: "28d",
      method: "occurrences",
      indicator: latency
        ? "share of requests answered within 300 ms"
        : "share of requests answered without an error",
      queries: {
        error,
        good: `sum(increase(good{service="${service}"}[$window]))`,
        total: `sum(increase(signalbox_span_duration_seconds_count{service="${service}"}[$window]))`,
      },
      budget: {
        allowed: total * (1 - objective),
        bad: total * (1 - objective) * used,
        total,
        used_ratio: used,
        left_ratio: 1 - used,
        minutes: (1 - objective) * 28 * 1440,
        sli: 1 - (1 - objective) * used,
        coverage: state === "insufficient" ? 0.04 : 1,
        ...(state === "insufficient" ? { reason: "no samples for 26 h" } : {}),
      },
      burn:
        state === "insufficient"
          ? []
          : [
              { window: "5m", rate: h1 * 1.2, events: 21_000, coverage: 1 },
              { window: "1h", rate: h1, events: 240_000, coverage: 1 },
              { window: "6h", rate: h6, events: 1_400_000, coverage: 1 },
              { window: "3d", rate: d3, events: 4_000_000, coverage: 0.98 },
            ],
      state,
      reason: {
        burning:
          "Burning 21.4× over 1 h (limit 14.4×): 10.7 % of requests to layout took longer than 300 ms since 2.4.1.",
        exhausted: "108 % of the budget of 28 d is used; 48 points of it on 18 Nov by version 5.1.2 in eu-1.",
        insufficient:
          "Only 4 % of the window has data: the queue consumer sends nothing since yesterday 02:10.",
        ok: `${(used * 100).toFixed(0)} % of the budget is used; the burn is below 1×.`,
      }[state],
      action: {
        burning: "Roll back layout to 2.4.0 or look at its slow traces first.",
        exhausted: "Hold releases that are not fixes until the budget recovers.",
        insufficient: "Check that the consumer of deployment sends telemetry.",
        ok: "Nothing to do.",
      }[state],
      since: iso(now - (state === "burning" ? 23 : 2000) * minute),
      ...(state === "burning" ? { exhausted_in_seconds: 11_400, alerts: ["SLOBurnRateFast"] } : {}),
      time: iso(now),
    };
  });
}

export function service(name: string, now: number) {
  const bad = name === "layout";
  const slice = (value: string, factor: number) => ({
    value,
    rate: 42 * factor,
    error_ratio: bad ? 0.04 * factor : 0.0007 * factor,
    p95_seconds: 0.18 + 0.4 * factor * (bad ? 1 : 0.1),
  });
  const m = `signalbox_span_duration_seconds_count{service="${name}",kind=~"server|consumer"}`;
  const b = `signalbox_span_duration_seconds_bucket{service="${name}",kind=~"server|consumer"}`;
  return {
    service: name,
    summary: bad
      ? "Errors 12× normal since 14:02, right after version 2.4.1."
      : `${name} is healthy: 0.07 % errors, P95 212 ms.`,
    rate: 84.2,
    error_ratio: bad ? 0.043 : 0.0007,
    p50_seconds: 0.042,
    p95_seconds: bad ? 0.812 : 0.212,
    p99_seconds: 1.41,
    versions: [slice("2.4.0", 0.7), slice("2.4.1", 1.3)],
    regions: regions.map((region, i) => slice(region, 1 - i / 4)),
    routes: ["/v1/layouts/{id}", "/v1/layouts", "/v1/render", "/healthz"].map((route, i) =>
      slice(route, 1 - i / 5),
    ),
    depends_on: services
      .filter((s) => s !== name)
      .slice(0, 2)
      .map((server, i) => ({
        client: name,
        server,
        kind: i ? "queue" : "call",
        calls: 21_400,
        errors: i ? 0 : 210,
        mean_seconds: 0.082,
      })),
    used_by: services
      .filter((s) => s !== name)
      .slice(2, 3)
      .map((client) => ({
        client,
        server: name,
        kind: "call",
        calls: 98_000,
        errors: 1200,
        mean_seconds: 0.12,
      })),
    slos: slos(now).filter((slo) => slo.service === name),
    deploys: deploys(now).filter((deploy) => deploy.service === name),
    queries: {
      rate: `sum(rate(${m}[5m]))`,
      errors: `sum(rate(${m.replace("}", ',status="error"}')}[5m])) / sum(rate(${m}[5m]))`,
      p50: `histogram_quantile(0.5, sum by (le) (rate(${b}[5m])))`,
      p95: `histogram_quantile(0.95, sum by (le) (rate(${b}[5m])))`,
      p99: `histogram_quantile(0.99, sum by (le) (rate(${b}[5m])))`,
      saturation: `max(pool_in_use{service="${name}"} / pool_size{service="${name}"})`,
    },
  };
}

const messages: [string, string][] = [
  ["info", "request served"],
  ["info", "layout rendered"],
  ["debug", "cache hit"],
  ["warn", "slow answer from file-server"],
  ["error", "upstream file-server: connection reset by peer"],
  ["info", "token verified"],
  ["error", "render failed: context deadline exceeded"],
];

export function logs(from: number, to: number, limit: number, q: string) {
  const wanted = /level:(\w+)/.exec(q)?.[1];
  const trace = /trace_id:(\w+)/.exec(q)?.[1];
  const step = Math.max(1, (to - from) / limit);
  return Array.from({ length: limit }, (_, i) => {
    const at = to - i * step;
    const h = hash(`log${Math.floor(at / 977)}`);
    let [level, message] = messages[Math.floor(h * messages.length)] ?? ["info", ""];
    if (wanted) [level, message] = messages.find(([l]) => l === wanted) ?? [wanted, "…"];
    const name = services[Math.floor(h * 97) % services.length] ?? "edge";
    return {
      timestamp: iso(at),
      level,
      service: name,
      env: "prod",
      region: regions[Math.floor(h * 31) % 3],
      version: "2.4.1",
      tenant: "default",
      trace_id: trace ?? id(`t${Math.floor(at / 977)}`, 32),
      span_id: id(`s${at}`, 16),
      request_id: id(`r${at}`, 12),
      message: `${message} path=/v1/layouts/${Math.floor(h * 9999)}`,
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": level === "error" ? 502 : 200,
        "user.agent": "curl/8.1",
        duration_ms: Math.round(h * 900),
        nested: { a: [1, 2, { b: "c" }] },
      },
      resource: { "k8s.pod.name": `${name}-7d9f-x${Math.floor(h * 100)}`, "host.name": "node-3" },
    };
  });
}

export function traces(from: number, to: number, limit: number) {
  return Array.from({ length: limit }, (_, i) => {
    const at = to - ((to - from) / limit) * (i + 0.5);
    const h = hash(`trace${Math.floor(at)}`);
    const errors = h > 0.7 ? Math.ceil((h - 0.7) * 10) : 0;
    return {
      trace_id: id(`t${Math.floor(at)}`, 32),
      root_service: "edge",
      root_name: `GET /v1/${["layouts/{id}", "render", "deployments"][i % 3]}`,
      start: iso(at),
      start_unix_nano: `${Math.floor(at)}000000`,
      duration_ns: Math.round(20e6 + h ** 4 * 2.4e9),
      spans: 8 + Math.floor(h * 30),
      errors,
      services: services
        .slice(0, 2 + (i % 3))
        .map((name) => ({ service: name, spans: 4, errors: name === "layout" ? errors : 0 })),
    };
  });
}

export function trace(traceId: string, now: number) {
  const start = now - 12 * minute;
  const count = traceId.startsWith("big") ? 10_000 : 46;
  const spans: Record<string, unknown>[] = [];
  const total = 812e6;
  for (let i = 0; i < count; i++) {
    const parent = i === 0 ? -1 : i < 4 ? i - 1 : Math.floor(hash(`p${i}`) * Math.min(i, 40));
    const base =
      parent < 0
        ? { o: 0, d: total }
        : { o: Number(spans[parent]?.offset), d: Number(spans[parent]?.duration_ns) };
    const offset = Math.round(base.o + (parent < 0 ? 0 : base.d * 0.8 * hash(`o${i}`)));
    const duration = Math.round(
      parent < 0 ? total : (base.d - (offset - base.o)) * (0.2 + 0.75 * hash(`d${i}`)),
    );
    const name = services[i < 5 ? i : Math.floor(hash(`s${i}`) * 5)] ?? "edge";
    const failed = i > 2 && hash(`e${i}`) > 0.95;
    spans.push({
      offset,
      trace_id: traceId,
      span_id: id(`span${i}`, 16),
      parent_span_id: parent < 0 ? "" : id(`span${parent}`, 16),
      name:
        i === 0
          ? "GET /v1/layouts/{id}"
          : ["SELECT layouts", "GET /files/{name}", "verify token", "render", "publish layout.changed"][
              i % 5
            ],
      kind: ["server", "client", "internal", "producer", "consumer"][i % 5],
      start: iso(start + offset / 1e6),
      start_unix_nano: `${BigInt(Math.floor(start)) * 1_000_000n + BigInt(offset)}`,
      duration_ns: duration,
      status: failed ? "error" : "unset",
      ...(failed
        ? {
            status_message: "connection reset by peer",
            events: [
              {
                time_unix_nano: start * 1e6 + offset + duration,
                name: "exception",
                attributes: { "exception.type": "IOError", "exception.message": "connection reset by peer" },
              },
            ],
          }
        : {}),
      scope: "mock",
      service: name,
      resource: {
        service: name,
        env: "prod",
        region: "eu-1",
        version: "2.4.1",
        tenant: "default",
        attributes: { "host.name": "node-3" },
      },
      attributes: { "http.route": "/v1/layouts/{id}", "http.response.status_code": failed ? 502 : 200 },
      ...(i === 4 ? { links: [{ trace_id: id("linked", 32), span_id: id("linkeds", 16) }] } : {}),
    });
  }
  return {
    trace_id: traceId,
    start: iso(start),
    duration_ns: total,
    summary: "812 ms, 640 of them waiting for file-server.",
    services: services.map((name) => ({
      service: name,
      spans: spans.filter((s) => s.service === name).length,
      errors: spans.filter((s) => s.service === name && s.status === "error").length,
    })),
    spans: spans.map(({ offset: _, ...span }) => span),
  };
}

export function pages(now: number) {
  const alert = {
    fingerprint: "a1b2",
    labels: {
      alertname: "SLOBurnRateFast",
      slo: "layout-latency",
      service: "layout",
      severity: "critical",
      long_window: "1h",
      short_window: "5m",
    },
    annotations: { summary: "Layout latency burns 21× over 1 h." },
    starts_at: iso(now - 23 * minute),
    status: "firing",
  };
  return [
    {
      id: "p1",
      dedup_key: "slo/layout-latency",
      time: iso(now - 22 * minute),
      updated: iso(now - 2 * minute),
      status: "firing",
      severity: "critical",
      title: "Layout latency burns 21× over 1 h",
      summary: "10.7 % of requests to layout are slower than 300 ms since version 2.4.1.",
      service: "layout",
      receiver: "inbox",
      group_labels: { slo: "layout-latency" },
      alerts: [alert],
      deliveries: [
        { channel: "inbox", time: iso(now - 22 * minute), status: "delivered", attempt: 1 },
        {
          channel: "webhook[0]",
          time: iso(now - 22 * minute),
          status: "failed",
          attempt: 1,
          error: "connection refused",
        },
      ],
    },
    {
      id: "p0",
      dedup_key: "slo/edge-availability",
      time: iso(now - 900 * minute),
      updated: iso(now - 800 * minute),
      status: "resolved",
      severity: "warning",
      title: "Edge availability burns slowly",
      summary: "Edge used 48 points of its budget.",
      service: "edge",
      receiver: "inbox",
      group_labels: { slo: "edge-availability" },
      alerts: [{ ...alert, status: "resolved" }],
      deliveries: [{ channel: "inbox", time: iso(now - 900 * minute), status: "delivered", attempt: 1 }],
      acked_by: "lena",
      acked_at: iso(now - 898 * minute),
      resolved_at: iso(now - 800 * minute),
    },
  ];
}

export function decisions(now: number) {
  const verdicts = ["block", "allow", "hold", "insufficient", "allow"] as const;
  return verdicts.map((verdict, i) => ({
    id: `g${i}`,
    time: iso(now - (i * 47 + 6) * minute),
    request: {
      service: i ? services[i % 5] : "layout",
      environment: "prod",
      version: `2.4.${2 - i}`,
      actor: "ci",
    },
    verdict,
    summary: {
      block: "Blocked: burn 21× over 1 h (limit 14×).",
      allow: "Allowed: burn 0.3× over 1 h, 22 % of the budget used.",
      hold: "Held: 81 % of the budget used (limit 75 %).",
      insufficient: "Not enough data: 4 % of the last hour has samples.",
    }[verdict],
    reasons: [
      {
        verdict,
        rule: "burn_fast",
        slo: "layout-latency",
        message: "Layout latency burns 21× over 1 h, the limit is 14×.",
        cure: "Wait until the 1 h burn is below 14×, about 38 m after the errors stop.",
      },
    ],
    evidence: [
      {
        slo: "layout-latency",
        name: "burn_rate_1h",
        query: 'signalbox_slo_burn_rate{slo="layout-latency",window="1h"}',
        window: "1h",
        value: verdict === "insufficient" ? null : 21.4,
        threshold: 14,
        events: 240_000,
        coverage: verdict === "insufficient" ? 0.04 : 1,
        last_data: iso(now - i * 47 * minute),
        time: iso(now - i * 47 * minute),
      },
    ],
  }));
}

const rules = {
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
};

export function policies(now: number) {
  return {
    summary: "2 of 7 promises are above the band normal.",
    default: rules,
    policies: [],
    frozen: [],
    promises: slos(now).map((slo) => ({
      slo: slo.name,
      service: slo.service,
      band: slo.budget.used_ratio > 0.5 ? "caution" : "normal",
      used_ratio: slo.budget.used_ratio,
      policy: "default",
    })),
  };
}

export const document = {
  name: "slos/promises.yaml",
  text: "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: layout-latency\nspec:\n  objectives:\n    - target: 0.995\n",
};

export interface ReplayRequest {
  start: string;
  end: string;
  step: string;
  compare?: object;
}

/** A replay that has ended; B pages once less and holds a deployment. */
export function backtest(id: string, asked: ReplayRequest, now: number) {
  const start = Date.parse(asked.start);
  const end = Date.parse(asked.end);
  const moment = (part: number) => new Date(start + part * (end - start)).toISOString();
  const page = (part: number) => ({
    receiver: "on-call",
    severity: "critical",
    group: { service: "layout" },
    alerts: ["SLOBurnRateFast"],
    start: moment(part),
    end: moment(part + 0.02),
    seconds: ((end - start) / 1000) * 0.02,
  });
  const outcome = (name: string, parts: number[], verdict: string) => ({
    name,
    pages: parts.map(page),
    alerts: [],
    deploys: [
      {
        deploy: { ...deploys(now)[0], time: moment(0.5) },
        verdict,
        summary:
          verdict === "hold" ? "On hold: 80 % of the budget is used." : "Allowed: every promise holds.",
        reasons: [],
      },
    ],
    promises: slos(now).map((slo) => ({
      name: slo.name,
      display_name: slo.display_name,
      service: slo.service,
      objective: slo.objective,
      window: slo.window,
      bad: slo.budget.bad,
      total: slo.budget.total,
      used_at_start: 0.1,
      used_at_end: slo.budget.used_ratio,
      worst_used: slo.budget.used_ratio,
      worst_at: moment(0.6),
      alerts: parts.length,
      unknown_seconds: 0,
      bands: [{ name: "normal", from: 0, seconds: (end - start) / 1000 }],
      curve: Array.from({ length: 60 }, (_, i) => ({
        time: moment(i / 60),
        left_ratio: 1 - (slo.budget.used_ratio * i) / 60,
        burn_1h: 0.5,
      })),
    })),
  });
  const sets = [outcome("A", [0.2, 0.7], "allow"), ...(asked.compare ? [outcome("B", [0.7], "hold")] : [])];
  return {
    id,
    state: "done",
    progress: 1,
    started: new Date(now).toISOString(),
    seconds: 1,
    result: {
      start: asked.start,
      end: asked.end,
      step: asked.step,
      summary: "",
      sets,
      difference: [{ what: "pages", a: 2, b: asked.compare ? 1 : 0, difference: asked.compare ? -1 : 0 }],
      notes: [],
    },
  };
}

export function report(params: URLSearchParams, now: number) {
  const end = new Date(now).toISOString();
  const start = new Date(now - 28 * 864e5).toISOString();
  const internal = params.get("audience") === "internal";
  const promises = slos(now).map((slo) => ({
    name: slo.name,
    display_name: slo.display_name,
    service: slo.service,
    indicator: slo.indicator,
    kind: "errors",
    objective: slo.objective,
    window: slo.window,
    unit: "events",
    verdict: "met",
    reason: "kept",
    contract: {
      achieved: slo.objective + (1 - slo.objective) / 2,
      points: 0.1,
      good: 9990,
      bad: 10,
      total: 10_000,
      allowed: 20,
      allowed_minutes: 40,
      used_minutes: 20,
      left_minutes: 20,
      used_ratio: 0.5,
      up_minutes: 40_300,
      unknown_minutes: 0,
      excluded_minutes: 0,
      coverage: 1,
    },
    corrections: [],
    days: [],
    episodes: [],
    small_episodes: 3,
    trend: [],
  }));
  return {
    title: "Service levels, the last 28 days",
    summary: `${promises.length} of ${promises.length} promises were kept in the last 28 days.`,
    audience: internal ? "internal" : "customer",
    as_of: end,
    period: {
      name: "the last 28 days",
      start,
      end,
      time_zone: "UTC",
      minutes: 40_320,
      elapsed_minutes: 40_320,
      complete: true,
    },
    counts: {
      promises: promises.length,
      met: promises.length,
      missed: 0,
      at_risk: 0,
      on_track: 0,
      unknown: 0,
    },
    scope: {},
    notes: ["Minutes are minutes of full outage."],
    promises,
    ...(internal
      ? {
          internal: {
            budgets: [],
            pages: { pages: 0, per_week: 0, target_per_week: 2, severities: [], list: [], left_out: 0 },
            deploys: { deploys: 2, failed: 0, rolled_back: 0, breached: 0, list: [] },
            gate: {
              decisions: 0,
              allowed: 0,
              held: 0,
              blocked: 0,
              insufficient: 0,
              overridden: 0,
              list: [],
              left_out: 0,
            },
            not_measured: ["How fast support answers."],
          },
        }
      : {}),
  };
}

export function remedies(now: number) {
  const breach = new Date(now - 36e5).toISOString();
  return [
    {
      id: "r1",
      service: "layout",
      slo: "layout-latency",
      alert: "SLOBurnRateFast",
      state: "planned",
      reason: "layout 2.4.1 would be rolled back to 2.4.0: its errors are 12 times those of 2.4.0.",
      breach,
      updated: new Date(now - 3e6).toISOString(),
      executed: new Date(now - 3e6).toISOString(),
      executor: "kubernetes",
      version: "2.4.1",
      previous_version: "2.4.0",
      dry_run: true,
      evidence: [],
      history: [{ time: breach, state: "watching", reason: "The breach is young." }],
    },
  ];
}

/** Authentication is off in the mock: whoever asks is nobody in particular. */
export const me = { subject: "", name: "", kind: "nobody", groups: [], tenant: "default", permissions: [] };
