import type { PromData, SLOStatus } from "~/api/types";
import { formatFigure, formatRatio } from "~/format/number";
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
  /** Of all events, good and bad, 0 to 1. */
  of: number | undefined;
  /** How much more often among the bad events than among all: 1 where it fails like the rest. */
  lift: number | undefined;
  /** Enough bad events to say so. */
  supported: boolean;
}

/** A group needs as many bad events, and that share of them, before its lift says anything. */
export const support = { events: 10, share: 0.01 } as const;

/** From this lift on a group stands out: it has a fifth more of the bad than of all. */
const standsOut = 1.2;

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
  /** Groups with events, bad ones or not. */
  groups: number;
}

/**
 * Groups ranked by lift: what fails more than its part of the traffic comes first, not what is merely large. Those
 * without support come last. Increases are estimates, so that a group below half an event spent nothing.
 */
export function rank(bad: PromData | undefined, total: PromData | undefined, label: string): Spent {
  const all = samples(total, label);
  const named = [...all.keys()].some((key) => key !== undefined);
  const events = [...all.values()].reduce((before, value) => before + value, 0);
  const spent = [...samples(bad, label)].filter(([, value]) => value >= 0.5);
  const sum = spent.reduce((before, [, value]) => before + value, 0);
  const rows = spent
    .map(([key, value]) => {
      const own = all.get(key);
      const share = value / sum;
      const of = own && events > 0 ? own / events : undefined;
      return {
        value: key ?? "without this label",
        bad: value,
        total: own,
        share,
        of,
        lift: of && share / of,
        supported: value >= support.events && share >= support.share,
      };
    })
    .sort(
      (a, b) =>
        Number(b.supported) - Number(a.supported) ||
        (b.lift ?? 0) - (a.lift ?? 0) ||
        b.bad - a.bad ||
        a.value.localeCompare(b.value),
    );
  return { rows, absent: !named, groups: all.size };
}

/** The group that stands out, in figures, or that none does. */
export function spentWords({ rows, groups }: Spent, split: Split): string {
  const [first] = rows;
  if (!first) return "Nothing was spent in this time.";
  if (groups <= 1) return `All of it: ${first.value}.`;
  if (!first.supported) return `Too few bad events to tell one ${split} from another.`;
  if (first.lift === undefined || first.of === undefined || first.lift < standsOut)
    return `No ${split} stands out: each fails about as often as its part of the traffic.`;
  const figures = `${formatRatio(first.share)} of bad, ${formatRatio(first.of)} of all`;
  return `${split}=${first.value}: ${figures}, ${formatFigure(first.lift, "factor")}.`;
}
