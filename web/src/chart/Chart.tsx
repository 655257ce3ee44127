import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { formatFigure, noData, type Unit } from "~/format/number";
import { formatDateTime } from "~/format/time";
import { type ResolvedRange, selectionRange, zoomOut } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./Chart.module.css";
import { ChartMenu, type ChartMenuItem } from "./ChartMenu";
import { drawExemplars, drawMarkers, drawShades, drawThresholds, exemplarAt } from "./draw";
import { ExemplarList } from "./ExemplarList";
import { Legend } from "./Legend";
import {
  type ChartData,
  type ExemplarPoint,
  type Marker,
  type Shade,
  stack,
  stats,
  type Threshold,
} from "./model";
import { buildOptions } from "./options";
import { readInk } from "./palette";

export interface ChartProps {
  title: string;
  data: ChartData;
  unit: Unit;
  kind?: "line" | "bars";
  height?: number;
  thresholds?: readonly Threshold[];
  markers?: readonly Marker[];
  shades?: readonly Shade[];
  exemplars?: readonly ExemplarPoint[];
  onExemplar?: (traceId: string) => void;
  /** Defaults to the shared range. */
  range?: ResolvedRange;
  /** The legend is left out where the page names the series itself. */
  legend?: boolean;
  menu?: readonly ChartMenuItem[];
  /** Why there is nothing to see, when there is nothing. */
  empty?: ReactNode;
  aside?: ReactNode;
  /** A moment under another view's crosshair, Unix seconds. */
  cursorAt?: number | undefined;
  /** The moment under this chart's pointer, Unix seconds. */
  onCursor?: (time: number) => void;
}

const none: readonly never[] = [];

/** One chart: gaps stay gaps, a drag zooms every chart through the shared range, crosshairs move together. */
export function Chart({
  title,
  data,
  unit,
  kind = "line",
  height = 190,
  thresholds = none,
  markers = none,
  shades = none,
  exemplars = none,
  onExemplar,
  range,
  legend = true,
  menu = none,
  empty,
  aside,
  cursorAt,
  onCursor,
}: ChartProps) {
  const scheme = useComputedColorScheme("light");
  const { zone, resolved, now, setRange } = useTimeRange();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const [near, setNear] = useState<ExemplarPoint | undefined>(undefined);

  const shown = range ?? resolved;
  // What the drawing hooks read: always the newest, without rebuilding the plot.
  const current = useRef({
    thresholds,
    markers,
    shades,
    exemplars,
    near,
    shown,
    now,
    setRange,
    onExemplar,
    onCursor,
  });
  current.current = {
    thresholds,
    markers,
    shades,
    exemplars,
    near,
    shown,
    now,
    setRange,
    onExemplar,
    onCursor,
  };

  const aligned = useMemo<uPlot.AlignedData>(() => {
    const values = kind === "bars" ? stack(data.series) : data.series.map((one) => one.values);
    return [data.x, ...values] as uPlot.AlignedData;
  }, [data, kind]);
  const alignedRef = useRef(aligned);
  alignedRef.current = aligned;
  const seriesRef = useRef(data.series);
  seriesRef.current = data.series;
  const shape = `${kind}|${unit}|${data.series.map((one) => `${one.label}:${one.tone ?? ""}`).join("|")}`;
  const include = thresholds.map((threshold) => threshold.value).join(",");

  // biome-ignore lint/correctness/useExhaustiveDependencies: shape stands for the series; data flows in below.
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const ink = readInk(scheme);
    let frame = 0;
    const u = new uPlot(
      buildOptions({
        width: Math.max(element.clientWidth, 120),
        height,
        series: seriesRef.current,
        kind,
        unit,
        zone,
        ink,
        include: include === "" ? [] : include.split(",").map(Number),
        xRange: () => [current.current.shown.from / 1000, current.current.shown.to / 1000],
        onReset: () => current.current.setRange(zoomOut(current.current.shown, current.current.now)),
        hooks: {
          draw: [
            (self) => {
              drawShades(self, current.current.shades, ink);
              drawThresholds(self, current.current.thresholds, ink);
              drawMarkers(self, current.current.markers, ink);
              drawExemplars(self, current.current.exemplars, ink, current.current.near);
            },
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              const selected = selectionRange(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              current.current.setRange(selected);
            },
          ],
          setCursor: [
            (self) => {
              cancelAnimationFrame(frame);
              frame = requestAnimationFrame(() => {
                setCursor(self.cursor.idx ?? null);
                const { left = -1, top = -1 } = self.cursor;
                // Only this chart's own pointer speaks: a crosshair set from elsewhere has no event.
                if (left >= 0 && self.cursor.event) current.current.onCursor?.(self.posToVal(left, "x"));
                const hit = left < 0 ? undefined : exemplarAt(self, current.current.exemplars, left, top);
                if (hit !== current.current.near) {
                  setNear(hit);
                  self.redraw(false);
                }
              });
            },
          ],
        },
      }),
      alignedRef.current,
      element,
    );
    plot.current = u;
    const onClick = () => {
      const { left = -1, top = -1 } = u.cursor;
      const hit = exemplarAt(u, current.current.exemplars, left, top);
      if (hit) current.current.onExemplar?.(hit.traceId);
    };
    u.over.addEventListener("click", onClick);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) u.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape, scheme, zone, height, include]);

  useEffect(() => {
    plot.current?.setData(aligned);
  }, [aligned]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the hooks read these through the ref.
  useEffect(() => {
    plot.current?.redraw(false, true);
  }, [markers, shades, thresholds, exemplars, near]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new range rescales the axis.
  useEffect(() => {
    plot.current?.setData(alignedRef.current);
  }, [shown.from, shown.to]);

  useEffect(() => {
    const u = plot.current;
    if (!u || cursorAt === undefined || u.cursor.event) return;
    const left = u.valToPos(cursorAt, "x");
    if (Number.isFinite(left)) u.setCursor({ left, top: 0 }, false);
  }, [cursorAt]);

  const blank = data.series.every((one) => one.values.every((value) => value === null));
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        <h3>{title}</h3>
        <span className={classes.aside}>{aside}</span>
        <ChartMenu title={title} data={data} items={menu} canvas={() => plot.current?.ctx.canvas} />
      </figcaption>
      <div
        className={classes.canvas}
        data-clickable={near ? "true" : undefined}
        style={{ minHeight: height }}
      >
        <div ref={host} role="img" aria-label={summary(title, data, unit)} />
        {blank && <div className={classes.empty}>{empty ?? "No data in this time range."}</div>}
        {near && (
          <div className={classes.tip} role="status">
            {formatFigure(near.value, unit)} at {formatDateTime(near.time * 1000, zone)}: click to open the
            trace
          </div>
        )}
      </div>
      {markers.length > 0 && (
        <ul className="sr">
          {markers.map((marker) => (
            <li key={`${marker.time}${marker.label}`}>
              {marker.label} at {formatDateTime(marker.time * 1000, zone)}. {marker.detail}
            </li>
          ))}
        </ul>
      )}
      {shades.length > 0 && (
        <ul className="sr">
          {shades.map((shade) => (
            <li key={`${shade.from}${shade.label}`}>
              {shade.label}, {formatDateTime(shade.from * 1000, zone)} to{" "}
              {formatDateTime(shade.to * 1000, zone)}. {shade.detail}
            </li>
          ))}
        </ul>
      )}
      {legend && !blank && <Legend title={title} data={data} unit={unit} cursor={cursor} zone={zone} />}
      {exemplars.length > 0 && <ExemplarList points={exemplars} unit={unit} />}
    </figure>
  );
}

/** The chart in one sentence, for those who do not see it. */
function summary(title: string, data: ChartData, unit: Unit): string {
  const parts = data.series.slice(0, 6).map((one) => {
    const { min, max, last } = stats(one.values);
    if (last === null) return `${one.label}: no data`;
    return `${one.label}: last ${formatFigure(last, unit)}, from ${formatFigure(min, unit)} to ${formatFigure(max, unit)}`;
  });
  return `Chart of ${title}. ${parts.join("; ") || noData}`;
}
