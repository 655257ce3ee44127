import { Link } from "@tanstack/react-router";
import type { SLOStatus } from "~/api/types";
import { When } from "~/components/When";
import { formatDuration, formatWindow } from "~/format/duration";
import { formatRatio } from "~/format/number";
import { BandNote } from "./BandMark";
import { BudgetBar } from "./BudgetBar";
import { BurnBars } from "./BurnBars";
import classes from "./SloCard.module.css";
import { SloLinks } from "./SloLinks";
import { SloMark } from "./SloMark";
import { stateTone } from "./state";

/** An SLO in danger: since when, why, what to do, and the way to its causes. */
export function SloCard({ slo }: { slo: SLOStatus }) {
  return (
    <article className={classes.card} data-tone={stateTone[slo.state]} aria-label={slo.display_name}>
      <div className={classes.words}>
        <div className={classes.title}>
          <SloMark state={slo.state} />
          {slo.since && (
            <span className="dim small">
              since <When at={slo.since} ago />
            </span>
          )}
          <BandNote band={slo.band} />
        </div>
        <h2 className={classes.name}>
          <Link to="/slos/$name" params={{ name: slo.name }} data-row>
            {slo.display_name}
          </Link>
        </h2>
        <p>{slo.reason}</p>
        {slo.action && (
          <p>
            <strong>Next: </strong>
            {slo.action}
          </p>
        )}
        <SloLinks slo={slo} />
      </div>
      <div className={classes.figures}>
        <div className={classes.objective}>
          <span>
            {formatRatio(slo.objective)} over {formatWindow(slo.window)}
          </span>
          <Link to="/services/$name" params={{ name: slo.service }}>
            {slo.service}
          </Link>
        </div>
        <BudgetBar slo={slo} />
        {slo.exhausted_in_seconds !== undefined && (slo.budget.left_ratio ?? 0) > 0 && (
          <p className="small">Gone in {formatDuration(slo.exhausted_in_seconds)} at this rate.</p>
        )}
        <BurnBars slo={slo} />
      </div>
    </article>
  );
}
