import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { TraceRow } from "~/api/types";
import { formatDuration } from "~/format/duration";
import { formatClock } from "~/format/time";
import type { ResolvedRange } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./DurationScatter.module.css";

const width = 1000;
const height = 130;

/** Round durations that fall into the range, for the axis. */
export function durationTicks(minSeconds: number, maxSeconds: number): number[] {
  const out: number[] = [];
  for (let exponent = -6; exponent <= 4; exponent++) {
    const value = 10 ** exponent;
    if (value >= minSeconds && value <= maxSeconds) out.push(value);
  }
  return out;
}

/** Where a duration stands on the logarithmic axis, 0 at the bottom, 1 at the top. */
export function logShare(value: number, min: number, max: number): number {
  return (Math.log(value) - Math.log(min)) / (Math.log(max) - Math.log(min));
}

/**
 * The time that the traces shown take, with room at both ends so that no point is cut off: the newest hundred of an
 * hour are a second of it.
 */
export function spanOf(traces: readonly TraceRow[], range: ResolvedRange): ResolvedRange {
  const starts = traces.map((trace) => Date.parse(trace.start));
  const from = Math.max(Math.min(...starts), range.from);
  const to = Math.min(Math.max(...starts), range.to);
  const room = Math.max((to - from) * 0.03, 500);
  return { from: from - room, to: to + room };
}

/** Each trace as a point: when it began and how long it took; octagon-like squares failed. */
export function DurationScatter({ traces, range }: { traces: readonly TraceRow[]; range: ResolvedRange }) {
  const navigate = useNavigate();
  const { zone } = useTimeRange();
  const [near, setNear] = useState<TraceRow | undefined>(undefined);
  const { points, ticks, shown } = useMemo(() => {
    const shown = spanOf(traces, range);
    const seconds = traces.map((trace) => Math.max(trace.duration_ns / 1e9, 1e-6));
    const min = Math.min(...seconds) / 1.5;
    const max = Math.max(...seconds) * 1.5;
    const y = (value: number) => height - logShare(value, min, max) * height;
    return {
      points: traces.map((trace, at) => ({
        trace,
        x: ((Date.parse(trace.start) - shown.from) / (shown.to - shown.from)) * width,
        y: y(seconds[at] ?? min),
      })),
      ticks: durationTicks(min, max).map((value) => ({ value, y: y(value) })),
      shown,
    };
  }, [traces, range]);
  if (traces.length === 0) return null;
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        <h3>Duration of each trace shown</h3>
        <span className="dim small" aria-live="off">
          {near
            ? `${formatDuration(near.duration_ns / 1e9)} ${near.root_name} at ${formatClock(Date.parse(near.start), zone)}`
            : `○ fine  ■ with errors; ${formatClock(shown.from, zone)} to ${formatClock(shown.to, zone)}`}
        </span>
      </figcaption>
      <div className={classes.plot}>
        <div className={classes.axis} aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick.value} style={{ top: `${(tick.y / height) * 100}%` }}>
              {formatDuration(tick.value)}
            </span>
          ))}
        </div>
        <div
          className={classes.area}
          role="img"
          aria-label={`Durations of ${traces.length} traces over time; the list below has each.`}
        >
          {ticks.map((tick) => (
            <div key={tick.value} className={classes.line} style={{ top: `${(tick.y / height) * 100}%` }} />
          ))}
          {points.map(({ trace, x, y }) => (
            // biome-ignore lint/a11y: the list below offers the same to keyboards.
            <div
              key={trace.trace_id}
              className={classes.point}
              data-failed={trace.errors > 0}
              style={{ left: `${(x / width) * 100}%`, top: `${(y / height) * 100}%` }}
              onMouseEnter={() => setNear(trace)}
              onMouseLeave={() => setNear(undefined)}
              onClick={() => void navigate({ to: "/traces/$id", params: { id: trace.trace_id } })}
            />
          ))}
        </div>
      </div>
    </figure>
  );
}
