import type { IncomingMessage, ServerResponse } from "node:http";
import * as data from "./data.ts";
import { incidents } from "./incidents.ts";
import * as people from "./people.ts";

type Answer = unknown;

function instant(text: string | null, fallback: number): number {
  if (!text) return fallback;
  return /^\d/.test(text) && !text.includes("-") ? Number(text) * 1000 : Date.parse(text);
}

function histogram(params: URLSearchParams, from: number, to: number, now: number): Answer {
  const step = Number.parseFloat(params.get("step") ?? "60");
  const start = Math.floor(from / 1000 / step) * step;
  const count = Math.ceil(to / 1000 / step) - start / step;
  const values = params.get("field") === "level" ? ["debug", "info", "warn", "error"] : ["ok", "error"];
  return {
    start: new Date(start * 1000).toISOString(),
    step_seconds: step,
    series: values.map((value, i) => ({
      value,
      counts: Array.from({ length: count }, (_, at) => {
        const bad = data.trouble((start + at * step) * 1000, now);
        const base = value === "error" ? 1 + 60 * bad : value === "warn" ? 5 + 20 * bad : 60 / (i + 1);
        return Math.round(base * (0.7 + 0.6 * data.hash(`${value}${start + at * step}`)));
      }),
    })),
    took_ms: 3.2,
  };
}

function sample(expr: string, seconds: number, now: number, series: string): number | null {
  const noise = 0.85 + 0.3 * data.hash(`${series}${Math.floor(seconds / 15)}`);
  const bad = data.trouble(seconds * 1000, now);
  const age = (now / 1000 - seconds) / 60;
  if (age > 41 && age < 45) return null;
  if (/quantile/.test(expr))
    return (Number(/quantile\((0?\.\d+)/.exec(expr)?.[1] ?? 0.5) ** 3 * 0.25 + bad * 0.6) * noise;
  if (/error/.test(expr)) return (0.001 + bad * 0.09) * noise;
  if (/burn/.test(expr)) return (0.4 + bad * 20) * noise;
  if (/pool|saturation/.test(expr)) return Math.min(1, (0.35 + bad * 0.6) * noise);
  return (80 - bad * 20) * noise;
}

function promQuery(form: URLSearchParams, now: number, instantOnly: boolean): Answer {
  const expr = form.get("query") ?? "";
  if (/[({]$/.test(expr.trim())) return undefined;
  const by = /by \(/.test(expr) && !/by \(le\)/.test(expr) ? ["eu-1", "us-2", "ap-1"] : [""];
  if (instantOnly) {
    const at = Number(form.get("time") ?? now / 1000);
    return {
      resultType: "vector",
      result: by.map((region) => ({
        metric: region ? { region } : {},
        value: [at, String(sample(expr, at, now, region))],
      })),
    };
  }
  const start = Number(form.get("start"));
  const end = Number(form.get("end"));
  const step = Number(form.get("step"));
  const result = by.map((region) => {
    const values: [number, string][] = [];
    for (let t = start; t <= Math.min(end, now / 1000); t += step) {
      const value = sample(expr, t, now, region);
      if (value !== null) values.push([t, String(value)]);
    }
    return { metric: region ? { region } : {}, values };
  });
  return { resultType: "matrix", result };
}

/** What was asked to be replayed; the index is the job's id. */
const replays: data.ReplayRequest[] = [];

function own(path: string, params: URLSearchParams, now: number, body: string): Answer {
  const from = instant(params.get("start"), now - 3_600_000);
  const to = instant(params.get("end"), now);
  const limit = Number(params.get("limit") ?? 100);
  const [, , , room = "", item = "", sub = ""] = path.split("/");
  const slos = data.slos(now);
  switch (room) {
    case "status":
      return {
        version: "0.0.0-mock",
        revision: "mock",
        started: new Date(now - 3e6).toISOString(),
        uptime_seconds: 3000,
        roles: ["all"],
        demo: true,
        external_labels: {},
        problems: [],
      };
    case "slos": {
      if (!item)
        return {
          slos,
          summary: "2 of 7 promises are in danger; Layout latency is gone in 3 h 10 m at this rate.",
          time: new Date(now).toISOString(),
        };
      if (!sub) return slos.find((slo) => slo.name === item);
      const step = Number.parseFloat(params.get("step") ?? "60") * 1000;
      const points = [];
      for (let t = from; t <= to; t += step) {
        const age = Math.max(0, (now - t) / 864e5);
        const bad = data.trouble(t, now);
        points.push({
          time: new Date(t).toISOString(),
          left_ratio: t > now ? null : 0.39 + Math.min(0.5, age * 0.02) + (age > 0.02 ? 0.1 : 0),
          burn_1h: t > now ? null : 0.6 + bad * 20,
          error_ratio: t > now ? null : 0.002 + bad * 0.09,
        });
      }
      return { name: item, points };
    }
    case "heartbeats":
      return people.heartbeats(now);
    case "oncall":
      return people.oncall(item, sub, params, now, path);
    case "services":
      if (item) return data.services.includes(item) ? data.service(item, now) : undefined;
      return {
        services: data.services.map((name) => {
          const d = data.service(name, now);
          return {
            service: name,
            rate: d.rate,
            error_ratio: d.error_ratio,
            p95_seconds: d.p95_seconds,
            slo_state: d.slos[0]?.state ?? "none",
            versions: ["2.4.0", "2.4.1"],
            last_deploy: d.deploys[0] ?? null,
          };
        }),
      };
    case "deploys":
      return {
        deploys: data
          .deploys(now)
          .filter(
            (d) =>
              (!params.get("service") || d.service === params.get("service")) && Date.parse(d.time) >= from,
          ),
      };
    case "logs":
    case "traces":
      if (item === "histogram") return histogram(params, from, to, now);
      if (item === "fields")
        return {
          fields: [
            "level",
            "service",
            "region",
            "version",
            "env",
            "http.response.status_code",
            "k8s.pod.name",
          ],
        };
      if (item === "values")
        return { values: data.services.map((value, i) => ({ value, count: 4000 >> i })) };
      if (room === "logs")
        return {
          logs: data.logs(from, to, Math.min(limit, 400), params.get("q") ?? ""),
          truncated: limit < 400,
          took_ms: 8.1,
        };
      if (item) return item.length < 3 ? undefined : data.trace(item, now);
      return {
        traces: data
          .traces(from, to, limit)
          .sort((a, b) => (params.get("order") === "slowest" ? b.duration_ns - a.duration_ns : 0)),
        truncated: true,
        took_ms: 5,
      };
    case "pages":
      if (sub === "ack")
        return {
          ...data.pages(now)[0],
          acked_by: JSON.parse(body).by,
          acked_at: new Date(now).toISOString(),
        };
      if (sub === "escalation") return people.escalation(now, item);
      return {
        pages: data.pages(now),
        summary: "The primary was paged 22 m ago and nobody has acknowledged it yet.",
      };
    case "backtest": {
      if (item === "documents") return { slos: [data.document], policies: [], rules: [] };
      if (!item) replays.push(JSON.parse(body));
      const asked = replays[item ? Number(item) : replays.length - 1];
      if (!asked) return undefined;
      return data.backtest(String(item || replays.length - 1), asked, now);
    }
    case "incidents":
      return incidents(item, sub, params, now, body);
    case "runbooks":
      return { summary: "There is no runbook yet.", runbooks: [] };
    case "report":
      return data.report(params, now);
    case "remedies":
      return { remedies: data.remedies(now) };
    case "me":
      return data.me;
    case "login-methods":
      return { methods: [] };
    case "audit":
      return { entries: [] };
    case "explain":
      return {
        alert: item,
        summary:
          "SLOBurnRateFast is active because Layout latency burned 21× over 1 h and 26× over 5 m; you were paged at once.",
        labels: { severity: "critical", slo: "layout-latency", service: "layout" },
        severity: "critical",
        query: 'signalbox_slo_burn_rate{slo="layout-latency",window="1h"} > 14.4',
        value: 21.4,
        threshold: 14.4,
        active_since: new Date(now - 1.4e6).toISOString(),
        timeline: [
          { time: new Date(now - 1.5e6).toISOString(), event: "deploy layout 2.4.1" },
          { time: new Date(now - 1.4e6).toISOString(), event: "condition true" },
          { time: new Date(now - 1.38e6).toISOString(), event: "delivered to inbox" },
        ],
        pages: data.pages(now).slice(0, 1),
        silenced_by: [],
        inhibited_by: [],
      };
    case "gate":
      if (item === "policies") return data.policies(now);
      if (item === "decisions")
        return sub
          ? data.decisions(now).find((d) => d.id === sub)
          : {
              decisions: data
                .decisions(now)
                .filter((d) => !params.get("verdict") || d.verdict === params.get("verdict")),
              next: "",
            };
      return { ...data.decisions(now)[0], request: JSON.parse(body) };
  }
  return undefined;
}

function alertmanager(path: string, method: string, now: number): Answer {
  const iso = new Date(now).toISOString();
  if (path.endsWith("/alerts"))
    return data
      .pages(now)
      .slice(0, 1)
      .flatMap((page) =>
        page.alerts.map((alert) => ({
          fingerprint: alert.fingerprint,
          labels: alert.labels,
          annotations: alert.annotations,
          startsAt: alert.starts_at,
          endsAt: iso,
          updatedAt: iso,
          receivers: [{ name: "inbox" }],
          status: { state: "active", silencedBy: [], inhibitedBy: [] },
        })),
      );
  if (path.endsWith("/silences") && method === "POST") return { silenceID: "s2" };
  if (path.endsWith("/silences"))
    return [
      {
        id: "s1",
        matchers: [{ name: "service", value: "edge", isRegex: false, isEqual: true }],
        startsAt: new Date(now - 6e6).toISOString(),
        endsAt: new Date(now + 6e6).toISOString(),
        createdBy: "lena",
        comment: "planned work on the edge",
        status: { state: "active" },
      },
    ];
  return {};
}

function prometheus(path: string, form: URLSearchParams, now: number): Answer {
  if (path.endsWith("/query_range")) return promQuery(form, now, false);
  if (path.endsWith("/query")) return promQuery(form, now, true);
  if (path.endsWith("/query_exemplars"))
    return [
      {
        seriesLabels: {},
        exemplars: data.traces(now - 3.6e6, now, 8).map((t) => ({
          labels: { trace_id: t.trace_id },
          value: String(t.duration_ns / 1e9),
          timestamp: Date.parse(t.start) / 1000,
        })),
      },
    ];
  if (path.endsWith("/rules"))
    return {
      groups: [
        {
          name: "slo",
          file: "slos",
          interval: 15,
          rules: [
            {
              name: "SLOBurnRateFast",
              type: "alerting",
              query: "signalbox_slo_burn_rate > 14.4",
              health: "ok",
              state: "firing",
              labels: { severity: "critical" },
              alerts: [],
            },
            {
              name: "Watchdog",
              type: "alerting",
              query: "vector(1)",
              health: "ok",
              state: "firing",
              alerts: [],
            },
          ],
        },
      ],
    };
  if (path.includes("/metadata"))
    return {
      signalbox_span_duration_seconds: [{ type: "histogram", help: "Span duration", unit: "seconds" }],
    };
  if (path.includes("/label") || path.includes("/series"))
    return ["signalbox_span_duration_seconds_count", "signalbox_slo_burn_rate", "up"];
  return {};
}

function tail(res: ServerResponse) {
  res.writeHead(200, { "Content-Type": "text/event-stream" });
  const timer = setInterval(() => {
    const now = Date.now();
    for (const log of data.logs(now - 50, now, 2, ""))
      res.write(`event: log\ndata: ${JSON.stringify(log)}\n\n`);
  }, 400);
  res.on("close", () => clearInterval(timer));
}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Answers /sb and /api like a server with little data; everything else goes on to Vite. */
export async function mockHandler(req: IncomingMessage, res: ServerResponse, next: () => void) {
  const url = new URL(req.url ?? "/", "http://mock");
  const path = url.pathname;
  if (!path.startsWith("/sb/v1/") && !path.startsWith("/api/")) return next();
  if (path === "/sb/v1/logs/tail") return tail(res);
  const body = await read(req);
  const now = Date.now();
  const send = (status: number, answer: unknown) => {
    res.writeHead(status, { "Content-Type": "application/json" });
    res.end(JSON.stringify(answer));
  };
  if (path.startsWith("/api/v2/")) return send(200, alertmanager(path, req.method ?? "GET", now));
  if (path.startsWith("/api/v1/")) {
    const answer = prometheus(path, new URLSearchParams(body || url.search), now);
    if (answer === undefined)
      return send(400, {
        status: "error",
        errorType: "bad_data",
        error: "1:8: parse error: unexpected end of input",
      });
    return send(200, { status: "success", data: answer });
  }
  const answer = own(path, url.searchParams, now, body);
  if (answer === undefined)
    return send(404, { error: { code: "not_found", message: `There is nothing at ${path}.` } });
  send(200, answer);
}
