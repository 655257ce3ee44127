import type { SLOStatus } from "~/api/types";

export type Source = "promql" | "spans" | "logs" | "deploys" | "composite";

const known = new Set<string>(["spans", "logs", "deploys", "composite"]);

/** What an SLO's queries are over; PromQL where the server does not say. */
export function sourceOf(slo: SLOStatus): Source {
  const { source } = slo as { source?: string };
  return known.has(source ?? "") ? (source as Source) : "promql";
}

export const sourceWord: Record<Source, string> = {
  promql: "samples, by PromQL",
  spans: "spans, by a filter",
  logs: "log lines, by a filter",
  deploys: "deployments, by a filter",
  composite: "its parts",
};

/** The filter of its bad events, for spans and logs: what of total is counted as bad, or is not good. */
export function badFilter(slo: SLOStatus): string {
  const { bad, good, total } = slo.queries;
  if (bad) return total ? `(${total}) (${bad})` : bad;
  if (good && total) return `(${total}) NOT (${good})`;
  return total ?? "";
}
