import type { PromData, PromExemplarSeries, PromLabels } from "~/api/types";
import type { ResolvedRange } from "~/time/range";
import type { ChartData, ChartSeries, ExemplarPoint } from "./model";

/** The range widened to whole steps, so that equal steps give equal requests. */
export function alignRange(range: ResolvedRange, stepSeconds: number): ResolvedRange {
  const step = stepSeconds * 1000;
  return { from: Math.floor(range.from / step) * step, to: Math.ceil(range.to / step) * step };
}

export interface NamedResult {
  /** Stands for the series when a query gives one, and before the labels when it gives several. */
  name: string;
  data: PromData | undefined;
}

/** Query results on one grid of whole steps; a missing point is a gap. */
export function toChartData(
  results: readonly NamedResult[],
  aligned: ResolvedRange,
  step: number,
): ChartData {
  const start = aligned.from / 1000;
  const count = Math.floor((aligned.to - aligned.from) / 1000 / step) + 1;
  const x = Array.from({ length: count }, (_, i) => start + i * step);
  const series: ChartSeries[] = [];
  for (const { name, data } of results) {
    if (data?.resultType !== "matrix") continue;
    const shared = commonLabels(data.result.map((one) => one.metric));
    for (const one of data.result) {
      const values = new Array<number | null>(count).fill(null);
      for (const [time, text] of one.values ?? []) {
        const at = Math.round((time - start) / step);
        const value = Number(text);
        if (at >= 0 && at < count && Number.isFinite(value)) values[at] = value;
      }
      const label = data.result.length === 1 && name ? name : seriesLabel(one.metric, name, shared);
      series.push({ label, values });
    }
  }
  return { x, series };
}

/** The labels that all series share and that therefore tell nothing apart. */
export function commonLabels(metrics: readonly PromLabels[]): Set<string> {
  const [first, ...rest] = metrics;
  if (!first || rest.length === 0) return new Set();
  return new Set(Object.keys(first).filter((key) => rest.every((other) => other[key] === first[key])));
}

/** `name eu-1, 2.4.1` for named queries, `metric{region="eu-1"}` for plain ones. */
export function seriesLabel(metric: PromLabels, name: string, leaveOut: Set<string> = new Set()): string {
  const pairs = Object.entries(metric).filter(([key]) => key !== "__name__" && !leaveOut.has(key));
  if (name) return [name, pairs.map(([, value]) => value).join(", ")].filter(Boolean).join(" ");
  const inner = pairs.map(([key, value]) => `${key}="${value}"`).join(", ");
  const base = metric.__name__ ?? "";
  if (!inner) return base || "value";
  return `${base}{${inner}}`;
}

/**
 * Exemplars that name a trace: the highest of each of `slots` equal parts of the range, so that a burst of
 * them stays readable.
 */
export function toExemplarPoints(
  series: readonly PromExemplarSeries[],
  range: ResolvedRange,
  slots = 40,
): ExemplarPoint[] {
  const width = (range.to - range.from) / 1000 / slots;
  const best = new Map<number, ExemplarPoint>();
  for (const one of series) {
    for (const exemplar of one.exemplars) {
      const traceId = exemplar.labels.trace_id ?? exemplar.labels.traceID ?? exemplar.labels.traceId;
      const value = Number(exemplar.value);
      if (!traceId || !Number.isFinite(value)) continue;
      const slot = Math.floor((exemplar.timestamp - range.from / 1000) / width);
      const known = best.get(slot);
      if (!known || value > known.value) best.set(slot, { time: exemplar.timestamp, value, traceId });
    }
  }
  const seen = new Set<string>();
  return [...best.values()]
    .sort((a, b) => b.value - a.value)
    .filter((point) => !seen.has(point.traceId) && seen.add(point.traceId));
}
