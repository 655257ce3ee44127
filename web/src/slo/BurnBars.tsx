import type { SLOStatus } from "~/api/types";
import { Shape } from "~/components/StateMark";
import { formatWindow } from "~/format/duration";
import { formatFigure } from "~/format/number";
import classes from "./Bars.module.css";
import { burnLimit, burnShare, burnTone, sortedBurns } from "./burn";
import { useLimits } from "./limits";

/** The burn rate by window as bars; a tick marks each window's limit. */
export function BurnBars({ slo }: { slo: SLOStatus }) {
  const limits = useLimits()(slo.name);
  const burns = sortedBurns(slo);
  if (burns.length === 0) return <p className="dim small">No burn rate: {slo.budget.reason || "no data"}.</p>;
  return (
    <dl className={classes.burns} aria-label="Burn rate by window">
      {burns.map((burn) => {
        const limit = burnLimit(burn.window, limits);
        const tone = burnTone(burn, limits);
        const unsure = burn.coverage < 0.05;
        return (
          <div
            key={burn.window}
            className={classes.burn}
            title={`${formatWindow(burn.window)}: ${formatFigure(burn.rate, "factor")}${limit ? `, limit ${limit.limit}×: ${limit.effect}` : ""}; ${formatFigure(burn.coverage, "ratio")} of the window has data`}
          >
            <dt>{formatWindow(burn.window)}</dt>
            <dd>
              <span className={classes.track}>
                <span
                  className={classes.fill}
                  data-tone={tone}
                  style={{ width: `${burnShare(burn, limits) * 100}%` }}
                />
                {limit && <span className={classes.limit} />}
              </span>
              <span className={classes.figure} data-tone={tone}>
                <Shape tone={tone} size={9} />
                {unsure ? "no data" : formatFigure(burn.rate, "factor")}
              </span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
