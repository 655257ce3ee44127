import { Link } from "@tanstack/react-router";
import type { TraceRow } from "~/api/types";
import { Shown } from "~/components/Shown";
import { Shape } from "~/components/StateMark";
import { formatDuration } from "~/format/duration";
import { plural } from "~/format/number";
import { formatClockMillis, formatDateTime } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./TraceList.module.css";

/** One trace a row: what it was, how long it took against the slowest shown, who took part. */
export function TraceList({ traces }: { traces: readonly TraceRow[] }) {
  const { zone } = useTimeRange();
  const slowest = Math.max(1, ...traces.map((trace) => trace.duration_ns));
  return (
    <ul className={classes.list} aria-label="Traces">
      {traces.map((trace) => {
        const ms = Date.parse(trace.start);
        return (
          <li key={trace.trace_id} className={classes.item}>
            <Link to="/traces/$id" params={{ id: trace.trace_id }} className={classes.link} data-row>
              <span className={classes.name}>
                <strong>{trace.root_service || "root not seen"}</strong> <Shown text={trace.root_name} />
              </span>
              <span className={classes.duration}>
                <span className={classes.track}>
                  <span
                    className={classes.bar}
                    data-failed={trace.errors > 0}
                    style={{ width: `${(trace.duration_ns / slowest) * 100}%` }}
                  />
                </span>
                <span className={classes.figure}>{formatDuration(trace.duration_ns / 1e9)}</span>
              </span>
              <span className={classes.errors}>
                {trace.errors > 0 && (
                  <>
                    <Shape tone="danger" size={10} /> {plural(trace.errors, "error")}
                  </>
                )}
              </span>
              <span className={classes.meta}>
                {plural(trace.spans, "span")} in {trace.services.map((one) => one.service).join(", ")}
              </span>
              <time className={classes.time} dateTime={trace.start} title={formatDateTime(ms, zone)}>
                {formatClockMillis(ms, zone)}
              </time>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
