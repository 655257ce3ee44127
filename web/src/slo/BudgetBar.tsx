import type { SLOStatus } from "~/api/types";
import type { Tone } from "~/components/StateMark";
import { formatRatio } from "~/format/number";
import classes from "./Bars.module.css";
import { bandTone } from "./band";
import { knownLeft, stateTone } from "./state";

/** The bar is as red as the SLO, else as its band: what the gate holds back for is not green. */
function barTone(slo: SLOStatus): Tone {
  const tone = stateTone[slo.state];
  return tone === "ok" && slo.band ? bandTone[slo.band.name] : tone;
}

/** What is left of the budget, as a bar and in words. */
export function BudgetBar({ slo }: { slo: SLOStatus }) {
  const left = knownLeft(slo);
  const { reason } = slo.budget;
  if (left === undefined) {
    return <p className="dim small">Budget unknown{reason ? `: ${reason.replace(/\.$/, "")}` : ""}.</p>;
  }
  return (
    <div className={classes.budget}>
      <span className={classes.track}>
        <span
          className={classes.fill}
          data-tone={barTone(slo)}
          style={{ width: `${Math.min(Math.max(left, 0), 1) * 100}%` }}
        />
      </span>
      <span className={classes.words}>
        {left < 0 ? `Overspent by ${formatRatio(-left)}` : `${formatRatio(left)} left`}
      </span>
    </div>
  );
}
