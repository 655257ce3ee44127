import type { PromData } from "~/api/types";

export interface Bar {
  /** The upper bound as written, seconds; +Inf for the last. */
  le: string;
  baseline: number;
  canary: number;
}

/** Cumulative buckets as shares of each class, by upper bound. */
export function shares(data: PromData | undefined): Map<string, number> {
  const out = new Map<string, number>();
  if (data?.resultType !== "vector") return out;
  const buckets = data.result
    .map((one) => ({ le: one.metric.le ?? "", value: Number(one.value?.[1]) }))
    .filter((one) => one.le !== "" && Number.isFinite(one.value))
    .map((one) => ({ ...one, bound: one.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(one.le) }))
    .sort((a, b) => a.bound - b.bound);
  const all = buckets.at(-1)?.value ?? 0;
  if (all <= 0) return out;
  let below = 0;
  for (const { le, value } of buckets) {
    out.set(le, Math.max(0, value - below) / all);
    below = Math.max(below, value);
  }
  return out;
}

/** Both versions side by side, without the empty classes at either end. */
export function overlay(baseline: PromData | undefined, canary: PromData | undefined): Bar[] {
  const a = shares(baseline);
  const b = shares(canary);
  const bound = (le: string) => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le));
  const bars = [...new Set([...a.keys(), ...b.keys()])]
    .sort((x, y) => bound(x) - bound(y))
    .map((le) => ({ le, baseline: a.get(le) ?? 0, canary: b.get(le) ?? 0 }));
  const some = (bar: Bar) => bar.baseline > 0 || bar.canary > 0;
  const first = bars.findIndex(some);
  return first < 0 ? [] : bars.slice(first, bars.findLastIndex(some) + 1);
}

/** The Wilson interval of a share at 95 %; undefined without events. */
export function wilson(bad: number, events: number): [number, number] | undefined {
  if (!(events > 0)) return undefined;
  const z = 1.959963984540054;
  const p = bad / events;
  const d = 1 + (z * z) / events;
  const middle = (p + (z * z) / (2 * events)) / d;
  const half = (z / d) * Math.sqrt((p * (1 - p)) / events + (z * z) / (4 * events * events));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
