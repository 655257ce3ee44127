import { useState } from "react";
import type { PromData, SLOStatus } from "~/api/types";
import { formatFigure, formatRatio } from "~/format/number";
import { rank, type SpentRow, type Split, spentWords } from "~/slo/spent";
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

/** Groups ranked by lift, each with its share of the bad events as a bar, of all events, and its own ratio. */
export function SpentRows({ slo, split, label, bad, total, wholeWindow }: Props) {
  const [all, setAll] = useState(false);
  const spent = rank(bad, total, label);
  const { rows } = spent;
  if (spent.absent) return <p className="dim">– (the indicator's series have no label {label})</p>;
  if (rows.length === 0) return <p className="dim">{spentWords(spent, split)}</p>;
  const used = wholeWindow ? (slo.budget.used_ratio ?? 0) : 0;
  const shown = all ? rows : rows.slice(0, few);
  return (
    <>
      <p className={classes.words}>{spentWords(spent, split)}</p>
      <table className={classes.table} aria-label={`Budget spent by ${split}`}>
        <thead>
          <tr>
            <th scope="col" className={classes.name}>
              {split}
            </th>
            <th scope="col" className="num">
              Lift
            </th>
            <th scope="col" className="num">
              Of bad
            </th>
            <th scope="col" className="num">
              Of all
            </th>
            <th scope="col" className="num">
              Bad events
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Row key={row.value} row={row} used={used} />
          ))}
        </tbody>
      </table>
      {rows.length > few && (
        <button type="button" className="linkish small" onClick={() => setAll(!all)}>
          {all ? "Show the first only" : `Show all ${rows.length}`}
        </button>
      )}
    </>
  );
}

function Row({ row, used }: { row: SpentRow; used: number }) {
  return (
    <tr>
      <th scope="row" className={classes.name} title={row.value}>
        {row.value}
        <span className={classes.track} aria-hidden="true">
          <span className={classes.fill} style={{ width: `${row.share * 100}%` }} />
        </span>
        {used > 0 && <span className="dim small">{formatRatio(row.share * used)} of the budget</span>}
      </th>
      <td className="num">
        {row.supported ? formatFigure(row.lift, "factor") : <span className="dim">– (few)</span>}
      </td>
      <td className="num">{formatRatio(row.share)}</td>
      <td className="num">{formatFigure(row.of, "ratio")}</td>
      <td className="num">
        {formatFigure(Math.round(row.bad), "count")}
        {row.total ? (
          <div className="dim small">{formatRatio(Math.min(1, row.bad / row.total))} of its own</div>
        ) : null}
      </td>
    </tr>
  );
}
