import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { logsQuery } from "~/api/queries";
import type { TraceDetail } from "~/api/types";
import { Answer } from "~/components/Answer";
import { Shown } from "~/components/Shown";
import { plural } from "~/format/number";
import { formatClockMillis } from "~/format/time";
import { rangeSearch } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import { levelTone } from "../logs/level";
import classes from "./TraceLogs.module.css";

const aroundMs = 5 * 60_000;
const shownAtMost = 100;

/** The log lines that name the trace, oldest first. */
export function TraceLogs({ trace }: { trace: TraceDetail }) {
  const { zone } = useTimeRange();
  const range = useMemo(() => {
    const start = Date.parse(trace.start);
    return { from: Math.floor(start - aroundMs), to: Math.ceil(start + trace.duration_ns / 1e6 + aroundMs) };
  }, [trace]);
  const q = `trace_id:${trace.trace_id}`;
  const query = useQuery(logsQuery(q, range, shownAtMost, "oldest"));
  const count = query.data?.logs.length;
  return (
    <section className="panel stack tight">
      <div className="row between">
        <h2>
          {count === undefined
            ? "Log lines"
            : `${plural(count, "log line")} of this trace`.replace(/^n/, "N")}
        </h2>
        <Link to="/logs" search={{ q, ...rangeSearch({ kind: "absolute", ...range }) }}>
          Open in Logs
        </Link>
      </div>
      <Answer query={query} what="the trace's logs" height={80}>
        {({ logs }) =>
          logs.length > 0 ? (
            <ol className={classes.lines}>
              {logs.map((log, at) => (
                <li key={at} className={classes.line}>
                  <span className="dim">{formatClockMillis(Date.parse(log.timestamp), zone)}</span>
                  <span className={classes.level} data-tone={levelTone(log.level)}>
                    {log.level}
                  </span>
                  <span>{log.service}</span>
                  <span className={classes.message}>
                    <Shown text={log.message} />
                  </span>
                </li>
              ))}
            </ol>
          ) : (
            <p className="dim">
              No line carries this trace's id: the services log without trace_id, or nothing was logged.
            </p>
          )
        }
      </Answer>
    </section>
  );
}
