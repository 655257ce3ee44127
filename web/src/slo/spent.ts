import type { PromData, SLOStatus } from "~/api/types";
import { sourceOf, sourceWord } from "./source";

/** What a budget can be split by; each is tried under the names that instrumentations give it. */
export const splits = ["route", "region", "version", "tenant"] as const;
export type Split = (typeof splits)[number];

const spanMetric = "signalbox_span_duration_seconds";

/** The label that holds a split in the indicator's own metric. */
export function labelOf(split: Split, query: string): string {
  if (split === "route" && !query.includes(spanMetric) && /\bhttp_/.test(query)) return "http_route";
  return split;
}

/** Every sum of a query grouped by a label; undefined where a query does not consist of plain sums. */
export function groupedBy(query: string, label: string): string | undefined {
  if (/\b(by|without|on|ignoring|group_left|group_right)\s*\(/.test(query)) return undefined;
  if (/\b(max|min|avg|quantile|topk|histogram_quantile)\s*\(/.test(query)) return undefined;
  if (!/\bsum\s*\(/.test(query)) return undefined;
  return query.replace(/\bsum\s*\(/g, `sum by (${label}) (`).replace(/\s*or vector\(0\)/g, "");
}

export interface SplitQueries {
  label: string;
  bad: string;
  total: string;
}

/** The PromQL for bad and all events by a label, `$window` left in; or why there is none. */
export function splitQueries(slo: SLOStatus, split: Split): SplitQueries | { reason: string } {
  const { total, bad, good } = slo.queries;
  if (slo.parts?.length) return { reason: "a composite: its parts' pages say what spent theirs" };
  const source = sourceOf(slo);
  if (source !== "promql") return { reason: `it counts ${sourceWord[source]}: open them below` };
  if (!total || (!bad && !good)) return { reason: "it is judged by one figure, not by events" };
  const label = labelOf(split, total);
  const all = groupedBy(total, label);
  const part = groupedBy(bad || good || "", label);
  if (!all || !part) return { reason: "its query is not a plain sum" };
  return { label, total: all, bad: bad ? part : `(${all}) - (${part})` };
}

export interface SpentRow {
  value: string;
  bad: number;
  total: number | undefined;
  /** Of all bad events, 0 to 1. */
  share: number;
}

function samples(data: PromData | undefined, label: string): Map<string | undefined, number> {
  const out = new Map<string | undefined, number>();
  if (data?.resultType !== "vector") return out;
  for (const sample of data.result) {
    const value = Number(sample.value?.[1]);
    if (Number.isFinite(value)) out.set(sample.metric[label], value);
  }
  return out;
}

export interface Spent {
  rows: SpentRow[];
  /** The indicator's series have no such label. */
  absent: boolean;
}

/** Groups ranked by what they spent. Increases are estimates, so that a group below half an event spent nothing. */
export function rank(bad: PromData | undefined, total: PromData | undefined, label: string): Spent {
  const all = samples(total, label);
  const named = [...all.keys()].some((key) => key !== undefined);
  const spent = [...samples(bad, label)].filter(([, value]) => value >= 0.5);
  const sum = spent.reduce((before, [, value]) => before + value, 0);
  const rows = spent
    .map(([key, value]) => ({
      value: key ?? "without this label",
      bad: value,
      total: all.get(key),
      share: sum > 0 ? value / sum : 0,
    }))
    .sort((a, b) => b.bad - a.bad || a.value.localeCompare(b.value));
  return { rows, absent: !named };
}
