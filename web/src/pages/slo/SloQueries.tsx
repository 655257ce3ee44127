import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { CopyButton } from "~/components/CopyButton";
import { withWindow } from "~/slo/burn";
import classes from "./SloQueries.module.css";

const names = { error: "Error ratio", good: "Good", bad: "Bad", total: "Total" } as const;

/** The PromQL behind the promise, ready to run. */
export function SloQueries({ slo }: { slo: SLOStatus }) {
  return (
    <ul className={classes.list}>
      {(Object.keys(names) as (keyof typeof names)[]).map((key) => {
        const query = slo.queries[key];
        if (!query) return null;
        const ready = withWindow(query, "1h");
        return (
          <li key={key} className={classes.item}>
            <div className="row">
              <h3>{names[key]}, over 1 h</h3>
              <CopyButton text={ready} label={`Copy the query ${names[key]}`} />
              <Link to="/query" search={{ expr: [ready] }} className="small">
                Open in Metrics
              </Link>
            </div>
            <pre className={classes.code} tabIndex={0}>
              {ready}
            </pre>
          </li>
        );
      })}
    </ul>
  );
}
