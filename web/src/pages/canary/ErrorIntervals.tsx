import type { CanaryFigures } from "~/api/types";
import { formatRatio } from "~/format/number";
import classes from "./Canary.module.css";
import { wilson } from "./distribution";

/** Each version's share of errors as an interval on one scale: apart means sure, overlapping means not. */
export function ErrorIntervals({ baseline, canary }: { baseline: CanaryFigures; canary: CanaryFigures }) {
  const rows = [
    { role: "Baseline", figures: baseline, bounds: wilson(baseline.errors, baseline.events) },
    { role: "Canary", figures: canary, bounds: wilson(canary.errors, canary.events) },
  ];
  const top = Math.max(0.001, ...rows.map((row) => row.bounds?.[1] ?? 0)) * 1.1;
  const [a, b] = rows.map((row) => row.bounds);
  const words =
    !a || !b
      ? "One of them has no requests, so nothing can be said."
      : b[0] > a[1]
        ? "The intervals are apart: the canary fails more often."
        : b[1] < a[0]
          ? "The intervals are apart: the canary fails less often."
          : "The intervals overlap: no difference is sure.";
  return (
    <div className="stack tight">
      <p>{words}</p>
      <dl className={classes.intervals}>
        {rows.map(({ role, figures, bounds }) => (
          <div key={role} className={classes.interval}>
            <dt>
              {role} {figures.version}
            </dt>
            <dd>
              {bounds ? (
                <>
                  <span className={classes.scale} aria-hidden="true">
                    <span
                      className={classes.range}
                      data-role={role}
                      style={{
                        left: `${(bounds[0] / top) * 100}%`,
                        width: `${((bounds[1] - bounds[0]) / top) * 100}%`,
                      }}
                    />
                    <span
                      className={classes.point}
                      style={{ left: `${(figures.errors / figures.events / top) * 100}%` }}
                    />
                  </span>
                  {formatRatio(figures.errors / figures.events)}{" "}
                  <span className="dim">
                    ({formatRatio(bounds[0])} to {formatRatio(bounds[1])})
                  </span>
                </>
              ) : (
                "– (no requests)"
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
