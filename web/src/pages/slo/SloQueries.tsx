import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { CopyButton } from "~/components/CopyButton";
import { withWindow } from "~/slo/burn";
import { type Source, sourceOf, sourceWord } from "~/slo/source";
import classes from "./SloQueries.module.css";

const names = { error: "Error ratio", good: "Good", bad: "Bad", total: "Total" } as const;

const events = { ...names, error: "What is counted" } as const;

function Way({ source, query }: { source: Source; query: string }) {
  if (source === "promql")
    return (
      <Link to="/query" search={{ expr: [query] }} className="small">
        Open in Metrics
      </Link>
    );
  if (source === "spans")
    return (
      <Link to="/traces" search={{ q: query }} className="small">
        Open in Traces
      </Link>
    );
  if (source === "logs")
    return (
      <Link to="/logs" search={{ q: query }} className="small">
        Open in Logs
      </Link>
    );
  return null;
}

/** What is counted, ready to run: PromQL, or the filter of a search. */
export function SloQueries({ slo }: { slo: SLOStatus }) {
  const source = sourceOf(slo);
  const plain = source === "promql";
  return (
    <div className="stack tight">
      <p className="dim">
        It counts {sourceWord[source]}: {slo.indicator}.
      </p>
      <ul className={classes.list}>
        {(Object.keys(names) as (keyof typeof names)[]).map((key) => {
          const query = slo.queries[key];
          if (!query) return null;
          // The error ratio of events is in words.
          if (!plain && key === "error")
            return (
              <li key={key} className={classes.item}>
                <h3>{events.error}</h3>
                <p>{query}</p>
              </li>
            );
          const ready = plain ? withWindow(query, "1h") : query;
          return (
            <li key={key} className={classes.item}>
              <div className="row">
                <h3>
                  {names[key]}
                  {plain && ", over 1 h"}
                </h3>
                <CopyButton text={ready} label={`Copy the query ${names[key]}`} />
                <Way source={source} query={ready} />
              </div>
              <pre className={classes.code} tabIndex={0}>
                {ready}
              </pre>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
