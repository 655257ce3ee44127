import { windowSeconds } from "~/format/duration";

/** The one time range all pages share. It lives in the URL: `last=1h`, or `from` and `to` in RFC 3339. */

export interface RelativeRange {
  kind: "last";
  seconds: number;
}

export interface AbsoluteRange {
  kind: "absolute";
  /** Unix ms */
  from: number;
  /** Unix ms */
  to: number;
}

export type TimeRange = RelativeRange | AbsoluteRange;

/** A range at one moment, Unix ms. */
export interface ResolvedRange {
  from: number;
  to: number;
}

/** What the URL holds of a range. */
export interface RangeSearch {
  last?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export const defaultRange: RelativeRange = { kind: "last", seconds: 3600 };

export const presets: readonly RelativeRange[] = [
  900,
  1800,
  3600,
  3 * 3600,
  6 * 3600,
  12 * 3600,
  86400,
  2 * 86400,
  7 * 86400,
  28 * 86400,
  30 * 86400,
].map((seconds) => ({ kind: "last", seconds }));

/** Reads `90m`, `1h30m`, `7d`; undefined when it is not a duration above zero. Months are no duration. */
export function parseSpan(text: string): number | undefined {
  return /[MQY]/.test(text) ? undefined : windowSeconds(text);
}

/** Writes seconds as the shortest whole unit: 3600 → `1h`, 5400 → `90m`. */
export function spanText(seconds: number): string {
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
  ] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${Math.round(seconds)}s`;
}

/** `Last 15 m`, `Last 7 d`. */
export function rangeLabel(range: RelativeRange): string {
  return `Last ${spanText(range.seconds).replace(/(\d)([a-z])/, "$1 $2")}`;
}

export function parseRange(search: RangeSearch): TimeRange {
  if (search.from && search.to) {
    const from = parseInstant(search.from);
    const to = parseInstant(search.to);
    if (from !== undefined && to !== undefined && from < to) return { kind: "absolute", from, to };
  }
  const seconds = search.last ? parseSpan(search.last) : undefined;
  return seconds ? { kind: "last", seconds } : defaultRange;
}

/** The inverse of parseRange; the default range leaves the URL clean. */
export function rangeSearch(range: TimeRange): RangeSearch {
  if (range.kind === "absolute") {
    return { last: undefined, from: instantText(range.from), to: instantText(range.to) };
  }
  const last = range.seconds === defaultRange.seconds ? undefined : spanText(range.seconds);
  return { last, from: undefined, to: undefined };
}

/** RFC 3339, or Unix seconds or ms by magnitude; Unix ms out. */
export function parseInstant(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{9,16}(\.\d+)?$/.test(trimmed)) {
    const n = Number(trimmed);
    return n < 1e11 ? n * 1000 : n;
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined;
  const ms = Date.parse(trimmed);
  return Number.isNaN(ms) ? undefined : ms;
}

function instantText(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

export function resolveRange(range: TimeRange, now: number): ResolvedRange {
  if (range.kind === "absolute") return { from: range.from, to: range.to };
  return { from: now - range.seconds * 1000, to: now };
}

/** Twice the span around the same middle, never beyond now. */
export function zoomOut({ from, to }: ResolvedRange, now: number): AbsoluteRange {
  const half = (to - from) / 2;
  const end = Math.min(to + half, now);
  return { kind: "absolute", from: Math.round(end - 4 * half), to: Math.round(end) };
}

/** One half span earlier or later, never beyond now. */
export function shift({ from, to }: ResolvedRange, direction: -1 | 1, now: number): AbsoluteRange {
  const by = ((to - from) / 2) * direction;
  const end = Math.min(to + by, Math.max(now, to));
  return { kind: "absolute", from: Math.round(end - (to - from)), to: Math.round(end) };
}

/** A selection on a chart as a range: whole ms, at least one second. */
export function selectionRange(fromSeconds: number, toSeconds: number): AbsoluteRange {
  const from = Math.floor(Math.min(fromSeconds, toSeconds) * 1000);
  const to = Math.ceil(Math.max(fromSeconds, toSeconds) * 1000);
  return { kind: "absolute", from, to: Math.max(to, from + 1000) };
}

const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
] as const;

/** The step in seconds that gives at most `points` points over the range, from a list of round figures. */
export function niceStep({ from, to }: ResolvedRange, points: number, minSeconds = 5): number {
  const raw = Math.max((to - from) / 1000 / points, minSeconds);
  return steps.find((step) => step >= raw) ?? Math.ceil(raw / 86400) * 86400;
}
