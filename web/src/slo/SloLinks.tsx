import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { buildFilter } from "~/filter/filter";
import { badTraces, tracesWords } from "./badtraces";
import classes from "./SloLinks.module.css";
import { badFilter, sourceOf } from "./source";

/** From a burn to its causes in one click. */
export function SloLinks({ slo, here = false }: { slo: SLOStatus; here?: boolean }) {
  const traces = badTraces(slo);
  const source = sourceOf(slo);
  return (
    <div className={classes.links}>
      {source === "logs" ? (
        <Link className={classes.main} to="/logs" search={{ q: badFilter(slo) }}>
          Bad log lines
        </Link>
      ) : (
        <Link
          className={classes.main}
          to="/traces"
          search={{ q: traces.q, order: traces.slow ? "slowest" : undefined }}
        >
          {tracesWords(traces)}
        </Link>
      )}
      <Link
        to="/logs"
        search={{ q: `${buildFilter({ service: slo.service })} (level:error OR level:fatal)` }}
      >
        Error logs
      </Link>
      {!here && (
        <Link to="/slos/$name" params={{ name: slo.name }}>
          What spent the budget
        </Link>
      )}
      <Link to="/services/$name" params={{ name: slo.service }}>
        Service {slo.service}
      </Link>
    </div>
  );
}
