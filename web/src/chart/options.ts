import uPlot from "uplot";
import { formatFigure, type Unit } from "~/format/number";
import { formatClock, formatDay, type Zone } from "~/format/time";
import type { ChartSeries } from "./model";
import { dashOf, type Ink, inkOf } from "./palette";

export interface OptionsInput {
  width: number;
  height: number;
  series: readonly ChartSeries[];
  kind: "line" | "bars";
  unit: Unit;
  zone: Zone;
  ink: Ink;
  /** Figures that the y axis must include. */
  include: readonly number[];
  /** The whole range, Unix seconds, so that missing data shows as empty space. */
  xRange: () => [number, number];
  hooks: uPlot.Hooks.Arrays;
  onReset: () => void;
}

/** Axis labels: the clock, and the day under the first label of each day. */
export function timeLabels(splits: readonly number[], stepSeconds: number, zone: Zone): string[] {
  let previousDay = "";
  return splits.map((split) => {
    const day = formatDay(split * 1000, zone);
    const clock = formatClock(split * 1000, zone);
    const text = stepSeconds >= 86400 ? day : stepSeconds >= 60 ? clock.slice(0, 5) : clock;
    const label = stepSeconds < 86400 && day !== previousDay ? `${text}\n${day}` : text;
    previousDay = day;
    return label;
  });
}

/** A y range with room above, zero included unless the figures are far from it. */
export function yRange(
  dataMin: number | null,
  dataMax: number | null,
  include: readonly number[],
): [number, number] {
  const low = Math.min(dataMin ?? 0, 0, ...include);
  const high = Math.max(dataMax ?? 0, ...include);
  if (high === low) return [low, low + 1];
  return [low < 0 ? low * 1.05 : 0, high + (high - low) * 0.08];
}

export function buildOptions(input: OptionsInput): uPlot.Options {
  const { ink, unit, zone } = input;
  const axis = {
    stroke: ink.dim,
    grid: { stroke: ink.line, width: 1 },
    ticks: { show: false },
    font: '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  };
  const bars = uPlot.paths.bars?.({ size: [0.9, 60], gap: 1, align: 1 });
  return {
    width: input.width,
    height: input.height,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => {
      const date = new Date(seconds * 1000);
      return zone === "utc" ? uPlot.tzDate(date, "Etc/UTC") : date;
    },
    cursor: {
      sync: { key: "signalbox", setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6, show: input.kind === "line" },
      y: false,
      bind: {
        dblclick: () => () => {
          input.onReset();
          return null;
        },
      },
    },
    scales: {
      x: { time: true, range: () => input.xRange() },
      y: { range: (_, min, max) => yRange(min, max, input.include) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 38,
        space: 72,
        values: (_, splits, __, ___, incr) => timeLabels(splits, incr, zone),
      },
      {
        ...axis,
        size: (_, values) =>
          Math.max(44, 12 + 6.4 * Math.max(0, ...(values ?? []).map((text) => text.length))),
        space: 36,
        values: (_, splits) => splits.map((split) => formatFigure(split, unit)),
      },
    ],
    series: [
      {},
      ...input.series.map((one, index): uPlot.Series => {
        const color = inkOf(ink, index, one.tone);
        if (input.kind === "bars") {
          return {
            label: one.label,
            stroke: color,
            fill: color,
            width: 0,
            points: { show: false },
            ...(bars ? { paths: bars } : {}),
          };
        }
        return {
          label: one.label,
          stroke: color,
          width: 1.75,
          dash: one.tone ? [] : dashOf(ink, index),
          spanGaps: false,
          ...(input.series.length === 1 ? { fill: `${color}1c` } : {}),
          points: { show: isolatedOnly(one.values) },
        };
      }),
    ],
    hooks: input.hooks,
  };
}

/** Points are drawn only where a line cannot be: when no two neighbours both have a figure. */
function isolatedOnly(values: readonly (number | null)[]): boolean {
  return !values.some((value, at) => value !== null && at > 0 && values[at - 1] !== null);
}
