import { useQuery } from "@tanstack/react-query";
import { instantQuery } from "~/api/queries";
import type { CanaryResult } from "~/api/types";
import { Answer } from "~/components/Answer";
import { formatDuration } from "~/format/duration";
import { formatRatio } from "~/format/number";
import classes from "./Canary.module.css";
import { type Bar, overlay } from "./distribution";

function bound(le: string): string {
  return le === "+Inf" ? "longer" : `≤ ${formatDuration(Number(le))}`;
}

/** The query for a version's histogram among those the comparison evaluated. */
function bucketsOf(result: CanaryResult, version: string): string {
  return result.queries.find((query) => query.includes("_bucket") && query.includes(`"${version}"`)) ?? "";
}

/** How the durations of both versions spread over the histogram's classes. */
export function Distribution({ result }: { result: CanaryResult }) {
  const at = Date.parse(result.time);
  const a = bucketsOf(result, result.baseline.version);
  const b = bucketsOf(result, result.canary.version);
  const baseline = useQuery(instantQuery(a, at));
  const canary = useQuery(instantQuery(b, at));
  if (!a || !b) return <p className="dim">– (the comparison has no histogram of both)</p>;
  const both = { ...baseline, data: canary.data && baseline.data, error: baseline.error ?? canary.error };
  return (
    <Answer query={both} what="the distributions" height={180}>
      {(data) => (
        <Bars
          bars={overlay(data.data, canary.data?.data)}
          names={[result.baseline.version, result.canary.version]}
        />
      )}
    </Answer>
  );
}

export function Bars({ bars, names }: { bars: readonly Bar[]; names: readonly [string, string] }) {
  if (bars.length === 0) return <p className="dim">– (no requests of either version in this time)</p>;
  const top = Math.max(...bars.flatMap((bar) => [bar.baseline, bar.canary]));
  return (
    <table className={classes.bars} aria-label="Share of requests by duration">
      <thead>
        <tr>
          <th scope="col">Duration</th>
          <th scope="col">
            <span className={classes.key} data-role="Baseline" /> {names[0]}
          </th>
          <th scope="col">
            <span className={classes.key} data-role="Canary" /> {names[1]}
          </th>
          <td className={classes.wide} />
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.le}>
            <th scope="row">{bound(bar.le)}</th>
            <td className="num">{formatRatio(bar.baseline)}</td>
            <td className="num">{formatRatio(bar.canary)}</td>
            <td className={classes.wide} aria-hidden="true">
              <span
                className={classes.bar}
                data-role="Baseline"
                style={{ width: `${(bar.baseline / top) * 100}%` }}
              />
              <span
                className={classes.bar}
                data-role="Canary"
                style={{ width: `${(bar.canary / top) * 100}%` }}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
