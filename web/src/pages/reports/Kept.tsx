import { Link } from "@tanstack/react-router";
import type { Report, ReportSLO } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { formatFigure, formatRatio } from "~/format/number";
import classes from "./Report.module.css";
import { formatAchieved, formatMinutes, keptTone, keptWord } from "./verdicts";

function Used({ one }: { one: ReportSLO }) {
  const { used_ratio: ratio } = one.contract;
  if (ratio === null || one.verdict === "unknown") return <span className="dim">–</span>;
  return (
    <span className={classes.used}>
      <span className={classes.track}>
        <span
          className={classes.fill}
          data-tone={keptTone[one.verdict]}
          style={{ width: `${Math.min(100, ratio * 100)}%` }}
        />
      </span>
      {formatRatio(ratio)}
    </span>
  );
}

/** Each SLO with what was promised, what was achieved and what became of its budget. */
export function Kept({ report }: { report: Report }) {
  const search = {
    from: report.period.start,
    to: report.period.complete ? report.period.end : report.as_of,
    last: undefined,
  };
  const corrected = report.promises.some((one) => one.felt);
  const columns: Column<ReportSLO>[] = [
    {
      key: "name",
      head: "SLO",
      full: true,
      cell: (one) => (
        <>
          <Link to="/slos/$name" params={{ name: one.name }} search={search} data-row>
            {one.display_name}
          </Link>
          <div className="dim small">
            {one.service}
            {one.verdict !== "met" && one.verdict !== "on_track" && <>. {one.reason}</>}
          </div>
        </>
      ),
    },
    {
      key: "verdict",
      head: "Verdict",
      cell: (one) => <StateMark tone={keptTone[one.verdict]} word={keptWord[one.verdict]} />,
    },
    { key: "objective", head: "Objective", numeric: true, cell: (one) => formatAchieved(one.objective) },
    {
      key: "achieved",
      head: "Achieved",
      numeric: true,
      // What little data says stands in the reason: as a figure it would be taken for the period's.
      cell: (one) =>
        one.verdict === "unknown" ? (
          <span className="dim">–</span>
        ) : (
          <strong>{formatAchieved(one.contract.achieved)}</strong>
        ),
    },
    ...(corrected
      ? [
          {
            key: "felt",
            head: "Felt by users",
            numeric: true,
            cell: (one: ReportSLO) => (one.felt ? formatAchieved(one.felt.achieved) : "–"),
          },
        ]
      : []),
    { key: "budget", head: "Budget used", cell: (one) => <Used one={one} /> },
    {
      key: "allowed",
      head: "Allowed",
      numeric: true,
      cell: (one) => formatMinutes(one.contract.allowed_minutes),
    },
    {
      key: "left",
      head: "Left",
      numeric: true,
      cell: (one) =>
        one.contract.used_ratio === null || one.verdict === "unknown"
          ? "–"
          : formatMinutes(one.contract.left_minutes),
    },
    {
      key: "bad",
      head: "Bad",
      numeric: true,
      cell: (one) => (
        <>
          {formatFigure(one.contract.bad, "count")}{" "}
          <span className="nowrap">of {formatFigure(one.contract.total, "count")}</span>
        </>
      ),
    },
    {
      key: "data",
      head: "Data",
      numeric: true,
      cell: (one) => formatFigure(one.contract.coverage, "ratio"),
    },
  ];
  return <DataTable label="SLOs" rows={report.promises} columns={columns} rowKey={(one) => one.name} />;
}
