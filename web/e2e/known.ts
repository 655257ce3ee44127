import type { APIRequestContext } from "@playwright/test";

/** What the running server has, so that the tests do not depend on one set of data. */
export interface Known {
  slo: string;
  service: string;
  trace: string;
  decision: string;
  alert: string;
}

async function json<T>(request: APIRequestContext, path: string): Promise<T> {
  const response = await request.get(path);
  if (!response.ok()) throw new Error(`${path}: ${response.status()} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Asks the API for one of each, waiting until the first telemetry is there. */
export async function known(request: APIRequestContext): Promise<Known> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      const { slos } = await json<{
        slos: { name: string; service: string; state: string; source?: string }[];
      }>(request, "/sb/v1/slos");
      const { traces } = await json<{ traces: { trace_id: string; spans: number }[] }>(
        request,
        "/sb/v1/traces?limit=20",
      );
      const { services } = await json<{ services: { service: string }[] }>(request, "/sb/v1/services");
      const trace = [...traces].sort((a, b) => b.spans - a.spans)[0]?.trace_id;
      // One over requests: a probe's SLO has no data for a while, and no routes or versions ever.
      const slo = slos.find((one) => one.state !== "insufficient" && (one.source ?? "promql") === "promql");
      if (!slo || !trace || services.length === 0) throw new Error("no SLO, trace or service yet");
      const service = services.find((row) => row.service === slo.service)?.service ?? services[0]!.service;
      const asked = await request.post("/sb/v1/gate", { data: { service, version: "e2e", actor: "e2e" } });
      const decision = ((await asked.json()) as { id: string }).id;
      const alerts = await json<{ labels: Record<string, string> }[]>(request, "/api/v2/alerts");
      return {
        slo: slo.name,
        service,
        trace,
        decision,
        alert: alerts[0]?.labels.alertname ?? "SLOBurnRateFast",
      };
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
