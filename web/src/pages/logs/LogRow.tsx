import { Link } from "@tanstack/react-router";
import type { LogRecord } from "~/api/types";
import { CopyButton } from "~/components/CopyButton";
import { isMasked, Shown } from "~/components/Shown";
import { Shape } from "~/components/StateMark";
import { addTerm, removeTerm, termState } from "~/filter/filter";
import { formatClockMillis, formatDateTime } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { fieldsOf } from "./fields";
import classes from "./LogRow.module.css";
import { levelTone } from "./level";

interface Props {
  log: LogRecord;
  open: boolean;
  onToggle: () => void;
  q: string;
  onQuery: (q: string) => void;
}

/** One line; opens to all its fields. */
export function LogRow({ log, open, onToggle, q, onQuery }: Props) {
  const { zone } = useTimeRange();
  const ms = Date.parse(log.timestamp);
  const tone = levelTone(log.level);
  return (
    <div className={classes.row} data-open={open}>
      <button type="button" className={classes.line} aria-expanded={open} onClick={onToggle} data-row>
        <time className={classes.time} dateTime={log.timestamp} title={formatDateTime(ms, zone)}>
          {formatClockMillis(ms, zone)}
        </time>
        <span className={classes.level} data-tone={tone}>
          {tone && <Shape tone={tone} size={9} />}
          {log.level || "–"}
        </span>
        <span className={classes.service}>{log.service}</span>
        <span className={classes.message}>
          <Shown text={log.message || "(no message)"} />
        </span>
      </button>
      {open && <LogDetails log={log} q={q} onQuery={onQuery} />}
    </div>
  );
}

function LogDetails({ log, q, onQuery }: { log: LogRecord; q: string; onQuery: (q: string) => void }) {
  return (
    <div className={classes.details}>
      <pre className={classes.full} tabIndex={0}>
        <Shown text={log.message} />
      </pre>
      <div className="row small">
        {log.trace_id && (
          <>
            <Link to="/traces/$id" params={{ id: log.trace_id }} search={{ span: log.span_id || undefined }}>
              Open the trace
            </Link>
            <button type="button" className="linkish" onClick={() => onQuery(`trace_id:${log.trace_id}`)}>
              All lines of this trace
            </button>
          </>
        )}
        {log.service && (
          <Link to="/services/$name" params={{ name: log.service }}>
            Service {log.service}
          </Link>
        )}
        <span>
          Copy as JSON <CopyButton text={JSON.stringify(log, null, 2)} label="Copy as JSON" />
        </span>
      </div>
      <dl className={classes.fields}>
        {fieldsOf(log).map(({ name, value }) => {
          const state = termState(q, name, value);
          return (
            <div key={name} className={classes.field}>
              <dt>{name}</dt>
              <dd>
                <span className={classes.value}>
                  <Shown text={value} />
                </span>
                {!isMasked(value) && (
                  <span className={classes.picks}>
                    <button
                      type="button"
                      aria-pressed={state === "in"}
                      aria-label={`Only ${name} ${value}`}
                      title="Only this value"
                      onClick={() =>
                        onQuery(state === "in" ? removeTerm(q, name, value) : addTerm(q, name, value))
                      }
                    >
                      =
                    </button>
                    <button
                      type="button"
                      aria-pressed={state === "out"}
                      aria-label={`Everything but ${name} ${value}`}
                      title="Everything but this value"
                      onClick={() =>
                        onQuery(state === "out" ? removeTerm(q, name, value) : addTerm(q, name, value, true))
                      }
                    >
                      ≠
                    </button>
                  </span>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}
