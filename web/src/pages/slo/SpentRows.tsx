import { useState } from "react";
import type { PromData, SLOStatus } from "~/api/types";
import { formatFigure, formatRatio } from "~/format/number";
import { rank, type Split } from "~/slo/spent";
import classes from "./SpentBy.module.css";

interface Props {
  slo: SLOStatus;
  split: Split;
  label: string;
  bad: PromData | undefined;
  total: PromData | undefined;
  /** Only over the whole window does a share of the bad events say how much of the budget it was. */
  wholeWindow: boolean;
}

const few = 6;

/** Groups ranked by what they spent, each with its share as a bar and its own ratio of bad events. */
export function SpentRows({ slo, split, label, bad, total, wholeWindow }: Props) {
  const [all, setAll] = useState(false);
  const { rows, absent } = rank(bad, total, label);
  if (absent) return <p className="dim">– (the indicator's series have no label {label})</p>;
  const [first] = rows;
  if (!first) return <p className="dim">Nothing was spent in this time.</p>;
  const used = slo.budget.used_ratio ?? 0;
  const ofBudget = wholeWindow && used > 0;
  const points = (share: number) => formatRatio(ofBudget ? share * used : share);
  const shown = all ? rows : rows.slice(0, few);
  return (
    <>
      <p className={classes.words}>
        {rows.length === 1
          ? `All of it: ${first.value}.`
          : `${first.value} spent ${formatRatio(first.share)} of it.`}
      </p>
      <table className={classes.table} aria-label={`Budget spent by ${split}`}>
        <thead>
          <tr>
            <th scope="col" className={classes.name}>
              {split}
            </th>
            <th scope="col" className="num">
              {ofBudget ? "Of the budget" : "Of the bad events"}
            </th>
            <th scope="col" className="num">
              Bad events
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.value}>
              <th scope="row" className={classes.name} title={row.value}>
                {row.value}
                <span className={classes.track} aria-hidden="true">
                  <span className={classes.fill} style={{ width: `${row.share * 100}%` }} />
                </span>
              </th>
              <td className="num">{points(row.share)}</td>
              <td className="num">
                {formatFigure(Math.round(row.bad), "count")}
                {row.total ? (
                  <div className="dim small">{formatRatio(Math.min(1, row.bad / row.total))} of its own</div>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > few && (
        <button type="button" className="linkish small" onClick={() => setAll(!all)}>
          {all ? "Show the largest only" : `Show all ${rows.length}`}
        </button>
      )}
    </>
  );
}
