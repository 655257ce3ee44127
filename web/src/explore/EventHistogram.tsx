import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { histogramQuery, type Signal } from "~/api/queries";
import type { Histogram } from "~/api/types";
import { BarKeys } from "~/chart/BarKeys";
import { Chart } from "~/chart/Chart";
import { alignRange } from "~/chart/matrix";
import type { ChartData, ChartSeries, Marker } from "~/chart/model";
import { formatDuration } from "~/format/duration";
import { niceStep } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";

interface Props {
  kind: Signal;
  title: string;
  q: string;
  field: string;
  markers?: readonly Marker[];
}

/** The worst at the bottom, where its height can be read. */
const order = ["", "unset", "trace", "debug", "info", "ok", "warn", "error", "fatal"];
const tones: Record<string, ChartSeries["tone"]> = {
  "": "unknown",
  trace: "unknown",
  debug: "unknown",
  info: "accent",
  unset: "accent",
  ok: "ok",
  warn: "caution",
  error: "danger",
  fatal: "danger",
};

export function histogramChart(histogram: Histogram): ChartData {
  const start = Date.parse(histogram.start) / 1000;
  const count = Math.max(0, ...histogram.series.map((one) => one.counts.length));
  return {
    x: Array.from({ length: count }, (_, at) => start + at * histogram.step_seconds),
    series: [...histogram.series]
      .sort((a, b) => order.indexOf(a.value) - order.indexOf(b.value))
      .map((one) => ({ label: one.value || "not set", values: one.counts, tone: tones[one.value] })),
  };
}

/** The sum of all bars. */
export function histogramTotal(histogram: Histogram | undefined): number | undefined {
  return histogram?.series.reduce((sum, one) => sum + one.counts.reduce((a, b) => a + b, 0), 0);
}

export function useEventHistogram(kind: Signal, q: string, field: string) {
  const { resolved } = useTimeRange();
  const step = niceStep(resolved, 90, 1);
  const aligned = useMemo(() => alignRange(resolved, step), [resolved, step]);
  return { ...useQuery(histogramQuery(kind, q, aligned, step, field)), step };
}

/** How many, over time, by one field. */
export function EventHistogram({ kind, title, q, field, markers }: Props) {
  const { data, step } = useEventHistogram(kind, q, field);
  const chart = useMemo<ChartData>(() => (data ? histogramChart(data) : { x: [], series: [] }), [data]);
  return (
    <Chart
      title={title}
      data={chart}
      unit="count"
      kind="bars"
      height={130}
      {...(markers ? { markers } : {})}
      aside={
        <span className="row">
          <BarKeys data={chart} />
          per {formatDuration(step)}
        </span>
      }
      empty={data ? "Nothing matches in this time range." : "Counting"}
      legend={false}
    />
  );
}
