import type { SLOStatus } from "~/api/types";
import { formatWindow } from "~/format/duration";
import { formatRatio } from "~/format/number";
import classes from "./Bars.module.css";
import { sloTone } from "./burn";
import { useLimits } from "./limits";

/** What is left of the budget, as a bar and in words. */
export function BudgetBar({ slo }: { slo: SLOStatus }) {
  const limits = useLimits()(slo.name);
  const { left_ratio: left, reason } = slo.budget;
  if (left === null || slo.state === "insufficient") {
    return <p className="dim small">Budget unknown{reason ? `: ${reason.replace(/\.$/, "")}` : ""}.</p>;
  }
  const words =
    left < 0
      ? `Overspent by ${formatRatio(-left)} of ${formatWindow(slo.window)}`
      : `${formatRatio(left)} of ${formatWindow(slo.window)} left`;
  return (
    <div className={classes.budget}>
      <span className={classes.track}>
        <span
          className={classes.fill}
          data-tone={sloTone(slo, limits)}
          style={{ width: `${Math.min(Math.max(left, 0), 1) * 100}%` }}
        />
      </span>
      <span className={classes.words}>{words}</span>
    </div>
  );
}
