import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { buildFilter } from "~/filter/filter";
import { badTracesFilter, isLatency } from "./burn";
import classes from "./SloLinks.module.css";

/** From a burn to its causes in one click. */
export function SloLinks({ slo, here = false }: { slo: SLOStatus; here?: boolean }) {
  const slow = isLatency(slo);
  return (
    <div className={classes.links}>
      <Link
        className={classes.main}
        to="/traces"
        search={{ q: badTracesFilter(slo), order: slow ? "slowest" : undefined }}
      >
        {slow ? "Slow traces" : "Failing traces"}
      </Link>
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
