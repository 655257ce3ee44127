import { niceStep, parseInstant, parseSpan, type ResolvedRange } from "~/time/range";

/** What the address says of the time to replay: `now-28d`, or fixed ends once a replay began. */
export interface SpanSearch {
  start?: string | undefined;
  end?: string | undefined;
}

export const spans = ["6h", "1d", "7d", "14d", "28d", "90d"] as const;
export const defaultSpan = "28d";

const minute = 60_000;
const whole = (ms: number) => Math.floor(ms / minute) * minute;

/** Fixed ends, or undefined where the address says how long before now, or nothing. */
export function fixedSpan({ start, end }: SpanSearch): ResolvedRange | undefined {
  const from = start ? parseInstant(start) : undefined;
  const to = end ? parseInstant(end) : undefined;
  return from !== undefined && to !== undefined && from < to ? { from, to } : undefined;
}

/** `28d` of `now-28d`. */
export function relativeSpan({ start }: SpanSearch): string {
  const text = /^now-(.+)$/.exec(start ?? "")?.[1] ?? "";
  return parseSpan(text) ? text : defaultSpan;
}

export function resolveSpan(search: SpanSearch, now: number): ResolvedRange {
  const fixed = fixedSpan(search);
  if (fixed) return { from: whole(fixed.from), to: Math.min(whole(fixed.to), whole(now)) };
  const to = whole(now);
  return { from: to - (parseSpan(relativeSpan(search)) ?? 0) * 1000, to };
}

export const steps = ["1m", "5m", "15m", "1h"] as const;

/** By the minute up to a week, coarser beyond: so that an answer is there in seconds. */
export function stepFor(range: ResolvedRange): (typeof steps)[number] {
  const seconds = niceStep(range, 10_080, 60);
  return seconds <= 60 ? "1m" : seconds <= 300 ? "5m" : seconds <= 900 ? "15m" : "1h";
}

/** An hour before and after, for links to what was measured then. */
export function aroundRange(start: string, seconds = 0): { from: string; to: string; last: undefined } {
  const at = Date.parse(start);
  const margin = Math.max(3_600_000, seconds * 250);
  return {
    from: new Date(at - margin).toISOString().replace(".000Z", "Z"),
    to: new Date(Math.min(at + seconds * 1000 + margin, Date.now())).toISOString().replace(".000Z", "Z"),
    last: undefined,
  };
}
