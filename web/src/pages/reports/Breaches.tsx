import { Link } from "@tanstack/react-router";
import type { Report, ReportEpisode, ReportSLO } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { TamperedMark } from "~/components/TamperedMark";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { formatFigure, plural } from "~/format/number";
import { aroundRange } from "~/pages/backtest/span";
import { formatAchieved, formatMinutes } from "./verdicts";

interface Breach {
  slo: ReportSLO;
  episode: ReportEpisode;
}

const columns: Column<Breach>[] = [
  {
    key: "from",
    head: "From",
    cell: ({ episode }) => (
      <span className="nowrap">
        <When at={episode.start} />
      </span>
    ),
  },
  {
    key: "long",
    head: "Lasted",
    numeric: true,
    cell: ({ episode }) => (
      <>
        {formatDuration(episode.seconds)}
        {episode.ongoing && <span className="dim"> and goes on</span>}
      </>
    ),
  },
  {
    key: "slo",
    head: "SLO",
    cell: ({ slo, episode }) => (
      <Link to="/slos/$name" params={{ name: slo.name }} search={aroundRange(episode.start, episode.seconds)}>
        {slo.display_name}
      </Link>
    ),
  },
  { key: "what", head: "What", cell: ({ episode }) => (episode.downtime ? "downtime" : "breach") },
  {
    key: "burn",
    head: "Worst burn",
    numeric: true,
    cell: ({ episode }) => formatFigure(episode.worst_burn, "factor"),
  },
  {
    key: "share",
    head: "Of the budget",
    numeric: true,
    cell: ({ episode }) =>
      episode.corrected ? "does not count" : formatFigure(episode.budget_ratio, "ratio"),
  },
  {
    key: "cause",
    head: "What is known",
    full: true,
    cell: ({ episode }) => episode.cause || <span className="dim">no change before it is known</span>,
  },
];

/** When budgets burned fast, oldest first, and what happened before. */
export function Breaches({ report }: { report: Report }) {
  const rows = report.promises
    .flatMap((slo) => slo.episodes.map((episode) => ({ slo, episode })))
    .sort((a, b) => Date.parse(a.episode.start) - Date.parse(b.episode.start));
  const small = report.promises.reduce((sum, one) => sum + one.small_episodes, 0);
  return (
    <>
      {rows.length > 0 ? (
        <DataTable
          label="Breaches and downtime"
          rows={rows}
          columns={columns}
          rowKey={({ slo, episode }) => `${slo.name}${episode.start}`}
        />
      ) : (
        <p className="dim">No breach spent 1 % or more of a budget.</p>
      )}
      {small > 0 && (
        <p className="dim small">
          {plural(small, "smaller one")} spent less than 1 % of a budget each and {small === 1 ? "is" : "are"}{" "}
          not listed.
        </p>
      )}
    </>
  );
}

/** What does not count, who says so and why. */
export function Corrected({ report }: { report: Report }) {
  const rows = report.promises.flatMap((slo) => slo.corrections.map((one) => ({ slo, one })));
  type Row = (typeof rows)[number];
  if (rows.length === 0) return <p className="dim">Nothing was taken out.</p>;
  const list: Column<Row>[] = [
    {
      key: "reason",
      head: "Reason",
      full: true,
      cell: ({ one }) => (
        <>
          <TamperedMark what="This correction" text={one.tampered} /> {one.reason}
        </>
      ),
    },
    { key: "slo", head: "SLO", cell: ({ slo }) => slo.display_name },
    { key: "author", head: "By", cell: ({ one }) => one.author },
    { key: "from", head: "From", cell: ({ one }) => <When at={one.start} /> },
    { key: "to", head: "To", cell: ({ one }) => <When at={one.end} /> },
    { key: "minutes", head: "Taken out", numeric: true, cell: ({ one }) => formatMinutes(one.minutes) },
    {
      key: "points",
      head: "Lowers the use by",
      numeric: true,
      cell: ({ one }) => `${formatFigure(one.budget_points, "count")} points`,
    },
  ];
  return (
    <DataTable
      label="Corrections"
      rows={rows}
      columns={list}
      rowKey={({ slo, one }) => `${slo.name}${one.id ?? one.start}`}
    />
  );
}

/** Achieved in this period and those before; periods that nobody has data of are left out. */
export function Trend({ report }: { report: Report }) {
  const [first] = report.promises;
  const known = (first?.trend ?? []).filter((_, at) =>
    report.promises.some((one) => one.trend[at]?.achieved !== null),
  );
  if (known.length < 2) return null;
  const names = known.map((one) => one.name);
  const trend: Column<ReportSLO>[] = [
    { key: "name", head: "SLO", full: true, cell: (one) => one.display_name },
    ...names.map(
      (name): Column<ReportSLO> => ({
        key: name,
        head: name,
        numeric: true,
        cell: (one) => {
          const period = one.trend.find((other) => other.name === name);
          if (!period || period.achieved === null) return <span className="dim">–</span>;
          return (
            <>
              {formatAchieved(period.achieved)}
              {period.coverage < 0.95 && (
                <span className="dim small"> (data for {formatFigure(period.coverage, "ratio")})</span>
              )}
            </>
          );
        },
      }),
    ),
  ];
  return (
    <section className="panel stack tight">
      <h2>Trend</h2>
      <DataTable label="Trend" rows={report.promises} columns={trend} rowKey={(one) => one.name} />
    </section>
  );
}
