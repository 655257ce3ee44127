import type { Tone } from "~/components/StateMark";
import { toSheet } from "~/format/sheet";

/** One line of a chart; values stand at the chart's x, null is a gap. */
export interface ChartSeries {
  label: string;
  values: (number | null)[];
  /** A tone where the series has a meaning (error, warn), else the palette by position. */
  tone?: Tone | "accent" | undefined;
}

/** A horizontal line: an objective, a limit. */
export interface Threshold {
  value: number;
  label: string;
  tone: Tone;
}

/** A vertical line: a deployment, an incident. `time` in Unix seconds. */
export interface Marker {
  time: number;
  label: string;
  detail?: string | undefined;
}

/** A span of time that is marked: a maintenance, an exclusion. Unix seconds. */
export interface Shade {
  from: number;
  to: number;
  label: string;
  detail?: string | undefined;
}

/** A measured example behind a figure. `time` in Unix seconds. */
export interface ExemplarPoint {
  time: number;
  value: number;
  traceId: string;
}

export interface ChartData {
  /** Unix seconds, rising. */
  x: number[];
  series: ChartSeries[];
}

export interface SeriesStats {
  min: number | null;
  max: number | null;
  last: number | null;
}

/** Smallest, largest and newest figure, gaps left out. */
export function stats(values: readonly (number | null)[]): SeriesStats {
  let min: number | null = null;
  let max: number | null = null;
  let last: number | null = null;
  for (const value of values) {
    if (value === null) continue;
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
    last = value;
  }
  return { min, max, last };
}

/** Sums from the last series upwards, so that drawing in order paints the tallest first. */
export function stack(series: readonly ChartSeries[]): (number | null)[][] {
  const out: (number | null)[][] = new Array(series.length);
  let below: (number | null)[] = [];
  for (let i = series.length - 1; i >= 0; i--) {
    const values = series[i]?.values ?? [];
    const sum = values.map((value, at) => {
      const base = below[at] ?? null;
      return value === null && base === null ? null : (value ?? 0) + (base ?? 0);
    });
    out[i] = sum;
    below = sum;
  }
  return out;
}

/** Comma-separated values with RFC 3339 times; a gap is an empty field. */
export function toCsv(data: ChartData): string {
  return toSheet([
    ["time", ...data.series.map((one) => one.label)],
    ...data.x.map((time, at) => [
      new Date(time * 1000).toISOString(),
      ...data.series.map((one) => one.values[at]),
    ]),
  ]);
}
